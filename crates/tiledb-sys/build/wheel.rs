//! The pinned wheels: platforms, and the folder of the library inside.

/// A wheel of one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wheel {
    /// The platform's name for pip.
    pub(crate) platform: &'static str,
    /// The folder inside the wheel that contains libtiledb.
    pub(crate) folder: &'static str,
}

const LINUX: &str = "tiledb.libs";
const MACOS: &str = "tiledb/.dylibs";

/// Operating system and architecture as cargo names them, and their wheels, in the order of the hashes.
const PLATFORMS: [(&str, &str, Wheel); 4] = [
    ("linux", "x86_64", Wheel { platform: "manylinux_2_28_x86_64", folder: LINUX }),
    ("linux", "aarch64", Wheel { platform: "manylinux_2_28_aarch64", folder: LINUX }),
    ("macos", "aarch64", Wheel { platform: "macosx_11_0_arm64", folder: MACOS }),
    ("macos", "x86_64", Wheel { platform: "macosx_11_0_x86_64", folder: MACOS }),
];

/// Returns the wheel of a target; `env` is its C library (`gnu`, `musl`, `msvc` or empty).
///
/// # Errors
/// A message with the supported targets, if no wheel matches.
pub(crate) fn wheel_for_target(os: &str, arch: &str, env: &str) -> Result<Wheel, String> {
    let entry = PLATFORMS.iter().find(|(pinned_os, pinned_arch, _)| (*pinned_os, *pinned_arch) == (os, arch));
    match entry {
        Some((.., wheel)) if env != "musl" => Ok(*wheel),
        _ => {
            let target = format!("{os} {arch} {env}");
            let supported: Vec<String> = PLATFORMS.iter().map(|(os, arch, _)| format!("{os} {arch}")).collect();
            Err(format!(
                "expected one of the targets {} (with glibc on linux), found {}. hint: install TileDB 2.30 and set TILEDB_DIR to the \
                 folder that contains its lib/",
                supported.join(", "),
                target.trim_end()
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_own_hash() {
        let list = include_str!("wheel.txt");
        let hashes: std::collections::BTreeSet<&str> =
            list.split_whitespace().filter_map(|word| word.strip_prefix("--hash=sha256:")).collect();
        assert_eq!(hashes.len(), PLATFORMS.len());
        assert!(hashes.iter().all(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())));
        let requirements = list.lines().filter(|line| line.contains("==")).count();
        assert_eq!(requirements, 1, "one version is pinned");
    }

    #[test]
    fn a_target_has_the_wheel_of_its_system_and_processor() {
        let platform = |os, arch, env| wheel_for_target(os, arch, env).map(|wheel| (wheel.platform, wheel.folder));
        assert_eq!(platform("linux", "aarch64", "gnu"), Ok(("manylinux_2_28_aarch64", "tiledb.libs")));
        assert_eq!(platform("macos", "aarch64", ""), Ok(("macosx_11_0_arm64", "tiledb/.dylibs")));
    }

    #[test]
    fn other_targets_get_a_hint_to_install_a_library() {
        for (os, arch, env) in [("windows", "x86_64", "msvc"), ("linux", "x86_64", "musl"), ("linux", "riscv64", "gnu")]
        {
            let message = wheel_for_target(os, arch, env).unwrap_err();
            assert!(message.contains("TILEDB_DIR") && message.contains(os) && message.contains(env), "{message}");
        }
    }
}

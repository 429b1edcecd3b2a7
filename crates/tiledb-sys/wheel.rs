//! Which of the pinned wheels fits a target, and where the library lies in it. Used by the build script.

/// A wheel, as pip is asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wheel {
    /// pip's name of the platform.
    pub(crate) platform: &'static str,
    /// The folder of the wheel that holds libtiledb.
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

/// The wheel for a target; `env` is its C library (`gnu`, `musl`, `msvc` or nothing).
///
/// # Errors
/// What to do where no wheel fits.
pub(crate) fn wheel(os: &str, arch: &str, env: &str) -> Result<Wheel, String> {
    let found = PLATFORMS.iter().find(|(own_os, own_arch, _)| (*own_os, *own_arch) == (os, arch));
    match found {
        Some((.., wheel)) if env != "musl" => Ok(*wheel),
        _ => {
            let target = format!("{os} {arch} {env}");
            let known: Vec<String> = PLATFORMS.iter().map(|(os, arch, _)| format!("{os} {arch}")).collect();
            Err(format!(
                "no libtiledb is pinned for {}, only for {} (with glibc on linux): \
                 install TileDB 2.30 and set TILEDB_DIR to the folder that holds its lib/",
                target.trim_end(),
                known.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_a_hash_of_its_own() {
        let list = include_str!("wheel.txt");
        let hashes: std::collections::BTreeSet<&str> =
            list.split_whitespace().filter_map(|word| word.strip_prefix("--hash=sha256:")).collect();
        assert_eq!(hashes.len(), PLATFORMS.len());
        assert!(hashes.iter().all(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())));
        let requirements = list.lines().filter(|line| line.contains("==")).count();
        assert_eq!(requirements, 1, "pip asks for one version");
    }

    #[test]
    fn a_target_gets_the_wheel_of_its_system_and_processor() {
        let platform = |os, arch, env| wheel(os, arch, env).map(|wheel| (wheel.platform, wheel.folder));
        assert_eq!(platform("linux", "aarch64", "gnu"), Ok(("manylinux_2_28_aarch64", "tiledb.libs")));
        assert_eq!(platform("macos", "aarch64", ""), Ok(("macosx_11_0_arm64", "tiledb/.dylibs")));
    }

    #[test]
    fn other_targets_are_told_to_bring_a_library_of_their_own() {
        for (os, arch, env) in [("windows", "x86_64", "msvc"), ("linux", "x86_64", "musl"), ("linux", "riscv64", "gnu")]
        {
            let told = wheel(os, arch, env).unwrap_err();
            assert!(told.contains("TILEDB_DIR") && told.contains(os) && told.contains(env), "{told}");
        }
    }
}

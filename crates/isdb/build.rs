//! Passes the folders of libtiledb to the linker, in search order: first beside the program (`bin/` and `lib/`), then where it was
//! built.

fn main() {
    println!("cargo:rerun-if-changed=crates/isdb/build.rs");
    let macos = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    let beside = if macos { "@loader_path" } else { "$ORIGIN" };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{beside}/../lib");
    if let Ok(folder) = std::env::var("DEP_TILEDB_LIB_DIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}

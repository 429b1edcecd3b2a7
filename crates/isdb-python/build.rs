//! Passes the folder of libtiledb to the linker, so that the extension module loads it where it was built. In a wheel it lies beside the
//! module.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Ok(folder) = std::env::var("DEP_TILEDB_LIB_DIR") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-rpath,{folder}");
    }
}

//! Tells the linker where the program finds libtiledb: beside itself (`bin/` and `lib/`), then where it was built.

fn main() {
    println!("cargo:rerun-if-changed=crates/isdb/build.rs");
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib");
    if let Ok(folder) = std::env::var("DEP_TILEDB_LIB_DIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}

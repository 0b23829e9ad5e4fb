//! Paths of libraries for what this package links: see efflux-link.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(ulfm)");
    if efflux_link::mpi() {
        println!("cargo:rustc-cfg=ulfm");
    }
}

//! Paths of libraries for what this package links: see efflux-link.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    efflux_link::hdf5();
}

//! What libtorch does not tell about GPUs, asked of NVIDIA's driver: which ones they are.

#![allow(
    unsafe_code,
    reason = "functions of a library that is opened at run time: nothing else of the module is unsafe"
)]

use std::ffi::{c_int, c_uint};
use std::mem::ManuallyDrop;

use libloading::os::unix::{Library, RTLD_NOW, Symbol};

/// The driver's library, which comes with the driver and not with CUDA.
pub(super) const LIBRARY: &str = "libcuda.so.1";

/// A code of the driver's; 0 is success.
type Code = c_int;

/// The UUIDs of the GPUs and MIG instances that CUDA shows this process, in its order, without `GPU-` or `MIG-`: the
/// driver knows them as sixteen bytes. `library` is [`LIBRARY`], or what stands in for it.
///
/// # Errors
///
/// Which question the driver did not answer.
pub(super) fn uuids(library: &str) -> Result<Vec<String>, String> {
    // SAFETY: the driver's library is made to be opened so. It is never closed: it has threads of its own.
    let driver = unsafe { Library::open(Some(library), RTLD_NOW) };
    let driver = driver.map_err(|error| format!("{library} cannot be opened: {error}"))?;
    let driver = ManuallyDrop::new(driver);
    // SAFETY: these are the types of the driver's C interface (cuda.h), version 2 of the last since CUDA 11.4.
    let (initialise, count, device, uuid) = unsafe {
        (
            find::<unsafe extern "C" fn(c_uint) -> Code>(&driver, "cuInit")?,
            find::<unsafe extern "C" fn(*mut c_int) -> Code>(&driver, "cuDeviceGetCount")?,
            find::<unsafe extern "C" fn(*mut c_int, c_int) -> Code>(&driver, "cuDeviceGet")?,
            find::<unsafe extern "C" fn(*mut [u8; 16], c_int) -> Code>(
                &driver,
                "cuDeviceGetUuid_v2",
            )?,
        )
    };
    // SAFETY: initialising again is allowed, and every pointer below is to a local of the type asked for.
    answered("cuInit", unsafe { initialise(0) })?;
    let mut devices = 0;
    answered("cuDeviceGetCount", unsafe { count(&raw mut devices) })?;
    let mut found = Vec::new();
    for ordinal in 0..devices {
        let (mut handle, mut bytes) = (0, [0; 16]);
        answered("cuDeviceGet", unsafe { device(&raw mut handle, ordinal) })?;
        answered("cuDeviceGetUuid_v2", unsafe {
            uuid(&raw mut bytes, handle)
        })?;
        found.push(written(bytes));
    }
    Ok(found)
}

/// # Safety
///
/// `F` is the type of the function with this name.
unsafe fn find<F>(driver: &Library, name: &str) -> Result<Symbol<F>, String> {
    // SAFETY: the caller's.
    unsafe { driver.get(name.as_bytes()) }
        .map_err(|_| format!("NVIDIA's driver has no {name}: it is older than 470"))
}

fn answered(question: &str, code: Code) -> Result<(), String> {
    match code {
        0 => Ok(()),
        code => Err(format!(
            "NVIDIA's driver answers {question} with code {code}"
        )),
    }
}

/// As `nvidia-smi` writes them: `5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77`.
fn written(bytes: [u8; 16]) -> String {
    let hex = efflux_numerics::hex(&bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// A driver that knows two devices, or answers the last question with `code`.
    fn stand_in(folder: &std::path::Path, code: u32) -> String {
        let text = format!(
            "int cuInit(unsigned flags) {{ return flags; }}\n\
             int cuDeviceGetCount(int *count) {{ *count = 2; return 0; }}\n\
             int cuDeviceGet(int *device, int ordinal) {{ *device = 7 + ordinal; return 0; }}\n\
             int cuDeviceGetUuid_v2(unsigned char *uuid, int device) {{\n\
                 for (int i = 0; i < 16; i++) uuid[i] = 16 * device + i;\n\
                 return {code};\n\
             }}\n"
        );
        let (source, library) = (folder.join("driver.c"), folder.join(format!("{code}.so")));
        fs::write(&source, text).unwrap();
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut command = Command::new(compiler);
        command.args(["-shared", "-fPIC", "-o"]).arg(&library);
        assert!(command.arg(&source).status().unwrap().success());
        library.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_driver_tells_which_gpus_there_are_in_the_order_of_cuda() {
        let folder = tempfile::tempdir().unwrap();
        let found = uuids(&stand_in(folder.path(), 0)).unwrap();
        let expected = [
            "70717273-7475-7677-7879-7a7b7c7d7e7f",
            "80818283-8485-8687-8889-8a8b8c8d8e8f",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_driver_that_does_not_answer_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let reason = uuids(&stand_in(folder.path(), 999)).unwrap_err();
        assert!(
            reason.contains("cuDeviceGetUuid_v2 with code 999"),
            "{reason}"
        );
        let reason = uuids("libno-such-driver.so.1").unwrap_err();
        assert!(reason.contains("cannot be opened"), "{reason}");
        // A library without the functions: the C library.
        let reason = uuids("libc.so.6").unwrap_err();
        assert!(reason.contains("no cuInit"), "{reason}");
    }
}

//! The kernels of `update.cu`: compiled by NVIDIA's run-time compiler for the GPU that is there, and started.
//!
//! Nothing here is linked: both libraries come with libtorch's CUDA half, and are asked for only once that is open.

#![allow(
    unsafe_code,
    reason = "compiler and driver are C libraries that are opened at run time, and a kernel is as unsafe as any call of C; \
              what it may touch is checked before it is started"
)]

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::rc::Rc;

use libloading::os::unix::{Library, RTLD_NOW};
use tch::{Kind, Tensor};

use crate::cell::Cell;
use crate::layout::Shape;

const SOURCE: &str = include_str!("update.cu");

/// The library of libtorch's that is linked with the run-time compiler and with the driver, and so finds both where it was
/// installed.
const LIBRARY: &str = "libcaffe2_nvrtc.so";

/// A code of the driver's or the compiler's; 0 is success.
type Code = c_int;

/// The kernels of an update, in this order.
const NAMES: [&str; 7] = [
    "gather",
    "drop",
    "forward",
    "output_layer",
    "backward",
    "drop_gradient",
    "step",
];

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kernel {
    Gather,
    Drop,
    Forward,
    OutputLayer,
    Backward,
    DropGradient,
    Step,
}

/// What all kernels get first; `struct Batch` of `update.cu`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Batch {
    lanes: *const i32,
    width: c_int,
    windows: c_int,
    days: c_int,
    rows: c_int,
}

impl Batch {
    /// `lanes` is `[L, width]`, whole numbers of 32 bits.
    pub(super) fn new(lanes: &Tensor, windows: usize, days: usize, rows: usize) -> Self {
        let int = |size: usize| c_int::try_from(size).expect("sizes of a batch");
        assert!(lanes.kind() == Kind::Int && lanes.is_contiguous());
        Self {
            lanes: lanes.data_ptr().cast_const().cast(),
            width: int(usize::try_from(lanes.size()[1]).expect("a size")),
            windows: int(windows),
            days: int(days),
            rows: int(rows),
        }
    }
}

/// What a kernel is given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument {
    Batch(Batch),
    Int(c_int),
    Float(f32),
    Pointer(*mut c_void),
}

impl Argument {
    /// The numbers of a tensor: of this kind, and as many as the kernel may touch.
    pub(super) fn numbers(tensor: &Tensor, kind: Kind, count: usize) -> Self {
        assert!(
            tensor.kind() == kind && tensor.is_contiguous() && tensor.numel() >= count,
            "a kernel wants {count} numbers of {kind:?}, in a row: {tensor:?}"
        );
        Self::Pointer(tensor.data_ptr())
    }

    fn address(&self) -> *mut c_void {
        let address: *const c_void = match self {
            Self::Batch(batch) => ptr::from_ref(batch).cast(),
            Self::Int(number) => ptr::from_ref(number).cast(),
            Self::Float(number) => ptr::from_ref(number).cast(),
            Self::Pointer(pointer) => ptr::from_ref(pointer).cast(),
        };
        address.cast_mut()
    }
}

/// `cuLaunchKernel`: function, blocks, threads of each, bytes of shared memory, stream, arguments, and one more way to give
/// them.
type Launch = unsafe extern "C" fn(
    *mut c_void,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    *mut c_void,
    *mut *mut c_void,
    *mut *mut c_void,
) -> Code;

/// The kernels for models of one shape.
#[derive(Debug)]
pub(super) struct Kernels {
    launch: Launch,
    functions: [*mut c_void; NAMES.len()],
    /// Rows of a matrix with a number for each gate that a block which runs through days has room for.
    kept: usize,
    hidden: usize,
}

impl Kernels {
    /// Whether there are kernels for models of this shape.
    pub(super) fn fit(shape: Shape) -> bool {
        shape.cell == Cell::Lstm
            && !shape.knows_sites()
            && shape.layers == 1
            && shape.hidden % 4 == 0
            && shape.hidden <= 256
    }

    /// Those for the GPU that libtorch computes on in this thread, compiled the first time that it asks for them.
    ///
    /// # Errors
    ///
    /// What the compiler or the driver says.
    pub(super) fn of(shape: Shape) -> Result<Rc<Self>, String> {
        thread_local! {
            static COMPILED: RefCell<Vec<(Shape, Rc<Kernels>)>> = const { RefCell::new(Vec::new()) };
        }
        COMPILED.with_borrow_mut(|compiled| {
            if let Some((_, kernels)) = compiled.iter().find(|(known, _)| *known == shape) {
                return Ok(Rc::clone(kernels));
            }
            let kernels = Rc::new(Self::compile(shape)?);
            compiled.push((shape, Rc::clone(&kernels)));
            Ok(kernels)
        })
    }

    fn compile(shape: Shape) -> Result<Self, String> {
        // SAFETY: both libraries behind it are made to be opened so. It is never closed, so functions stay valid.
        let library = unsafe { Library::open(Some(LIBRARY), RTLD_NOW) };
        let library = library.map_err(|error| format!("{LIBRARY} cannot be opened: {error}"))?;
        let library = std::mem::ManuallyDrop::new(library);
        let image = compiled(&library, shape)?;
        // SAFETY: the types are those of cuda.h; every pointer is to a local of the type asked for, names end in a zero, and
        // the image is the compiler's.
        unsafe {
            let load: unsafe extern "C" fn(*mut *mut c_void, *const c_void) -> Code =
                find(&library, "cuModuleLoadData")?;
            let function: unsafe extern "C" fn(
                *mut *mut c_void,
                *mut c_void,
                *const c_char,
            ) -> Code = find(&library, "cuModuleGetFunction")?;
            let launch: Launch = find(&library, "cuLaunchKernel")?;
            let mut module = ptr::null_mut();
            answered(
                "cuModuleLoadData",
                load(&raw mut module, image.as_ptr().cast()),
            )?;
            let mut functions = [ptr::null_mut(); NAMES.len()];
            for (name, handle) in NAMES.iter().zip(&mut functions) {
                let name = CString::new(*name).expect("a name without a zero");
                answered(
                    "cuModuleGetFunction",
                    function(&raw mut *handle, module, name.as_ptr()),
                )?;
            }
            let hidden = usize::try_from(shape.hidden).unwrap_or_default();
            let room = shared_memory(&library)?.saturating_sub(KEPT_BY_THEMSELVES * 4 * hidden);
            let mut kernels = Self {
                launch,
                functions,
                kept: (room / (16 * hidden)).min(hidden) / 4 * 4,
                hidden,
            };
            let allow: unsafe extern "C" fn(*mut c_void, c_int, c_int) -> Code =
                find(&library, "cuFuncSetAttribute")?;
            for kernel in [Kernel::Forward, Kernel::Backward] {
                let bytes = c_int::try_from(kernels.shared(kernel)).unwrap_or(0);
                let code = allow(functions[kernel as usize], MOST_SHARED_MEMORY, bytes);
                if code != 0 {
                    kernels.kept = 0;
                }
            }
            Ok(kernels)
        }
    }

    /// Rows of the recurrent weights that [`Kernel::Forward`] and [`Kernel::Backward`] keep.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// Bytes of memory that the threads of a block share, besides what the kernel declares itself.
    fn shared(&self, kernel: Kernel) -> usize {
        match kernel {
            Kernel::Forward | Kernel::Backward => self.kept * 16 * self.hidden,
            _ => 0,
        }
    }

    /// Starts a kernel after all that was asked for before: so many blocks of so many threads.
    ///
    /// # Errors
    ///
    /// What the driver says. What goes wrong in the kernel itself shows later.
    pub(super) fn start(
        &self,
        kernel: Kernel,
        blocks: [usize; 2],
        threads: i64,
        arguments: &[Argument],
    ) -> Result<(), String> {
        let mut addresses: Vec<*mut c_void> = arguments.iter().map(Argument::address).collect();
        let size = |size: usize| c_uint::try_from(size).expect("a number of blocks");
        let threads = c_uint::try_from(threads).expect("a number of threads");
        // SAFETY: the function is one of this module, the arguments are those that `fused.rs` gives it, each checked to hold
        // what the kernel may touch, and on the stream that libtorch computes on, so after what made them.
        let code = unsafe {
            (self.launch)(
                self.functions[kernel as usize],
                size(blocks[0]),
                size(blocks[1]),
                1,
                threads,
                1,
                1,
                size(self.shared(kernel)),
                ptr::null_mut(),
                addresses.as_mut_ptr(),
                ptr::null_mut(),
            )
        };
        answered(NAMES[kernel as usize], code)
    }
}

/// Numbers for each unit that the kernels which run through days declare to be shared by a block, six for each window and
/// gate or state of it.
const KEPT_BY_THEMSELVES: usize = 6 * 8;

/// `CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES`
const MOST_SHARED_MEMORY: c_int = 8;

/// Bytes of memory that the threads of a block can share on the GPU at hand.
fn shared_memory(library: &Library) -> Result<usize, String> {
    // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    let bytes = attribute(library, 97)?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

/// A number that the driver knows of the GPU at hand.
fn attribute(library: &Library, which: c_int) -> Result<c_int, String> {
    // SAFETY: the types are those of cuda.h, and every pointer is to a local of the type asked for.
    unsafe {
        let get_device: unsafe extern "C" fn(*mut c_int) -> Code = find(library, "cuCtxGetDevice")?;
        let get: unsafe extern "C" fn(*mut c_int, c_int, c_int) -> Code =
            find(library, "cuDeviceGetAttribute")?;
        let (mut device, mut value) = (0, 0);
        answered("cuCtxGetDevice", get_device(&raw mut device))?;
        answered("cuDeviceGetAttribute", get(&raw mut value, which, device))?;
        Ok(value)
    }
}

/// The kernels for the GPU at hand, as it runs them.
fn compiled(library: &Library, shape: Shape) -> Result<Vec<u8>, String> {
    let source = CString::new(SOURCE).expect("a source without a zero");
    // Compute capability, major and minor.
    let (major, minor) = (attribute(library, 75)?, attribute(library, 76)?);
    let options = [
        format!("-DHIDDEN={}", shape.hidden),
        format!("-DINPUTS={}", shape.inputs),
        "--std=c++17".to_owned(),
        format!("--gpu-architecture=sm_{major}{minor}"),
    ];
    // SAFETY: the types are those of nvrtc.h; every pointer is to a local of the type asked for, and texts end in a zero.
    unsafe {
        let create: unsafe extern "C" fn(
            *mut *mut c_void,
            *const c_char,
            *const c_char,
            c_int,
            *const *const c_char,
            *const *const c_char,
        ) -> Code = find(library, "nvrtcCreateProgram")?;
        let compile: unsafe extern "C" fn(*mut c_void, c_int, *const *const c_char) -> Code =
            find(library, "nvrtcCompileProgram")?;
        type Size = unsafe extern "C" fn(*mut c_void, *mut usize) -> Code;
        type Bytes = unsafe extern "C" fn(*mut c_void, *mut c_char) -> Code;
        let read = |size: &str, bytes: &str, program: *mut c_void| {
            let (size_of, copy): (Size, Bytes) = (find(library, size)?, find(library, bytes)?);
            let mut length = 0;
            answered(size, size_of(program, &raw mut length))?;
            let mut read = vec![0_u8; length];
            answered(bytes, copy(program, read.as_mut_ptr().cast()))?;
            Ok::<_, String>(read)
        };
        let mut program = ptr::null_mut();
        let created = create(
            &raw mut program,
            source.as_ptr(),
            c"update.cu".as_ptr(),
            0,
            ptr::null(),
            ptr::null(),
        );
        answered("nvrtcCreateProgram", created)?;
        let texts: Vec<CString> = options
            .into_iter()
            .map(|option| CString::new(option).expect("an option without a zero"))
            .collect();
        let pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        let count = c_int::try_from(pointers.len()).expect("a few options");
        if compile(program, count, pointers.as_ptr()) != 0 {
            let log = read("nvrtcGetProgramLogSize", "nvrtcGetProgramLog", program)?;
            return Err(String::from_utf8_lossy(&log).into_owned());
        }
        read("nvrtcGetCUBINSize", "nvrtcGetCUBIN", program)
    }
}

/// # Safety
///
/// `F` is the type of the function with this name.
unsafe fn find<F: Copy>(library: &Library, name: &str) -> Result<F, String> {
    // SAFETY: the caller's.
    let found = unsafe { library.get::<F>(name.as_bytes()) };
    found
        .map(|function| *function)
        .map_err(|_| format!("{LIBRARY} knows no {name}"))
}

fn answered(question: &str, code: Code) -> Result<(), String> {
    match code {
        0 => Ok(()),
        code => Err(format!("{question}: code {code} of NVIDIA's")),
    }
}

#[cfg(test)]
impl Kernels {
    /// The same kernels compiled for this processor, block after block with a thread for each of theirs: slow, and what they
    /// compute is what a GPU computes but for rounding.
    pub(super) fn on_this_processor(shape: Shape, folder: &std::path::Path) -> Self {
        let (source, library) = (folder.join("update.cpp"), folder.join("update.so"));
        let text = include_str!("emulation.h").replace("#include \"update.cu\"", SOURCE);
        std::fs::write(&source, text).unwrap();
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
        let compiled = std::process::Command::new(compiler)
            .args([
                "-std=c++20",
                "-O2",
                "-shared",
                "-fPIC",
                "-pthread",
                "-Wl,-Bsymbolic",
                "-o",
            ])
            .args([&library, &source])
            .args([
                format!("-DHIDDEN={}", shape.hidden),
                format!("-DINPUTS={}", shape.inputs),
            ])
            .output()
            .unwrap();
        assert!(
            compiled.status.success(),
            "{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        // SAFETY: the library was just made from these kernels and has nothing to initialise; it stays open.
        unsafe {
            let library = Library::open(Some(&library), RTLD_NOW).unwrap();
            let library = std::mem::ManuallyDrop::new(library);
            let functions = NAMES.map(|name| {
                *library
                    .get::<*mut c_void>(format!("run_{name}").as_bytes())
                    .unwrap()
            });
            let hidden = usize::try_from(shape.hidden).unwrap();
            Self {
                launch: *library.get::<Launch>(b"launch").unwrap(),
                functions,
                kept: hidden / 8 * 4,
                hidden,
            }
        }
    }
}

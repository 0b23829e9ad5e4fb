//! The one setting of a trainer that its speed depends on, for whoever starts one or something to compare it with.

/// glibc gives large blocks back to the kernel and faults them in again, which is half of the time at long windows.
/// These are plain integers: with suffixes they would be ignored.
pub const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
    ("MALLOC_TRIM_THRESHOLD_", "4294967296"),
    ("MALLOC_TOP_PAD_", "67108864"),
];

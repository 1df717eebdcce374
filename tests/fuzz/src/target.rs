//! A reader with its bound of memory.

use peak_alloc::PeakAlloc;

/// Counts what is allocated. Programs that run targets make it their global allocator.
#[global_allocator]
pub static MEMORY: PeakAlloc = PeakAlloc;

/// A reader of foreign bytes and what must hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name on the command line and of the folder of seeds.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub check: fn(&[u8]),
    /// Most memory beside what grows with the input, KiB.
    pub memory_kib: usize,
    /// Most memory for each byte of input, bytes.
    pub memory_per_byte: usize,
}

impl Target {
    /// Gives the input to the target.
    ///
    /// # Panics
    ///
    /// When something does not hold, or the target took too much memory.
    pub fn run(&self, input: &[u8]) {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        (self.check)(input);
        let taken = MEMORY.peak_usage().saturating_sub(before);
        let bound = self.memory_kib * 1024 + self.memory_per_byte * input.len();
        assert!(
            taken <= bound,
            "{} bytes of input took {taken} bytes of memory, at most {bound} are allowed",
            input.len()
        );
    }
}

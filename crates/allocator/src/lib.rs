//! Memory from mimalloc, in blocks of no more than is asked for.
//!
//! The crate `mimalloc` asks for all memory with its alignment. Where that is no power of two, mimalloc's third version then makes
//! the block larger, to align what lies in it, and does so by a long way: an event of 112 bytes takes 128, and ten times the
//! instructions. Every block is aligned to a word in any case, and nearly nothing asks for more.
//!
//! Knows nothing of this house. It is the one place where code is unsafe: an allocator cannot be written otherwise.

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys::{
    mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc, mi_zalloc_aligned,
};

/// Memory from mimalloc.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: ensue_allocator::MiMalloc = ensue_allocator::MiMalloc;
///
/// assert_eq!(vec![1; 1_000].len(), 1_000);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MiMalloc;

/// Whether every block is aligned so.
#[inline]
fn is_aligned_anyway(layout: Layout) -> bool {
    layout.align() <= align_of::<usize>()
}

#[expect(unsafe_code, reason = "an allocator cannot be written otherwise")]
// SAFETY: mimalloc keeps what `GlobalAlloc` asks for: its blocks hold the bytes that were asked for, do not overlap, and are null
// where there is no memory. They are aligned as `layout` asks: each begins at a multiple of a word, those with `_aligned` as they
// are told. It does not unwind, and frees a block however it was asked for.
unsafe impl GlobalAlloc for MiMalloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = if is_aligned_anyway(layout) {
            // SAFETY: it may be called with any size.
            unsafe { mi_malloc(layout.size()) }
        } else {
            // SAFETY: a layout's alignment is a power of two.
            unsafe { mi_malloc_aligned(layout.size(), layout.align()) }
        };
        block.cast()
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = if is_aligned_anyway(layout) {
            // SAFETY: it may be called with any size.
            unsafe { mi_zalloc(layout.size()) }
        } else {
            // SAFETY: a layout's alignment is a power of two.
            unsafe { mi_zalloc_aligned(layout.size(), layout.align()) }
        };
        block.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller says that the block comes from here.
        unsafe { mi_free(block.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let block = block.cast();
        let block = if is_aligned_anyway(layout) {
            // SAFETY: the caller says that the block comes from here.
            unsafe { mi_realloc(block, size) }
        } else {
            // SAFETY: the same; and a layout's alignment is a power of two.
            unsafe { mi_realloc_aligned(block, size, layout.align()) }
        };
        block.cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: MiMalloc = MiMalloc;

    /// A vector of `T` that grows one by one; gives where each of its blocks began.
    fn blocks<T: Clone + PartialEq + std::fmt::Debug>(item: &T, count: usize) -> Vec<usize> {
        let mut items = Vec::new();
        let mut blocks = Vec::new();
        for _ in 0..count {
            items.push(item.clone());
            blocks.push(items.as_ptr().addr());
        }
        assert!(items.iter().all(|held| held == item));
        blocks
    }

    #[derive(Clone, PartialEq, Debug)]
    #[repr(align(64))]
    struct Line([u8; 64]);

    #[test]
    fn blocks_are_aligned_and_hold_what_was_put_in() {
        assert!(blocks(&7_u8, 100_000).iter().all(|block| *block > 0));
        assert!(blocks(&7_u64, 100_000).iter().all(|block| block % 8 == 0));
        assert!(blocks(&7_u128, 10_000).iter().all(|block| block % 16 == 0));
        assert!(blocks(&[1_u64; 3], 10_000).iter().all(|block| block % 8 == 0));
        assert!(blocks(&Line([7; 64]), 10_000).iter().all(|block| block % 64 == 0));
    }

    #[test]
    fn zeroed_blocks_are_zero() {
        let dirty: Vec<Vec<u8>> = (1..500).map(|size| vec![1; size]).collect();
        drop(dirty);
        assert!((1..500).all(|size| vec![0_u8; size].iter().all(|byte| *byte == 0)));
        assert!((1..50).all(|size| vec![0_u128; size].iter().all(|word| *word == 0)));
    }
}

// HT_UNROLL before a loop of few iterations over an array of vectors: GCC keeps such arrays in registers only where the
// loops are gone before it looks at them.
#pragma once

#if defined(__clang__)
#define HT_UNROLL _Pragma("unroll")
#else
#define HT_UNROLL _Pragma("GCC unroll 16")
#endif

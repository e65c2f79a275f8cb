// The matrix product C = op(A) op(B) (+ C); where one side has few columns, see thin.hpp. Here blocks of B are packed
// into panels as wide as the register tile; rows of A are read where they stand, or copied where their distance makes
// them share few sets of the cache. Every element of C is summed over k in ascending order with one fused multiply-add
// a term, in full and in edge tiles alike, so results depend neither on how the rows are divided nor on which tile an
// element falls into.
//
// Blocking after Goto and van de Geijn (2008), "Anatomy of high-performance matrix multiplication".
#pragma once

#include "costs.hpp"
#include "kernels.hpp"
#include "simd.hpp"
#include "thin.hpp"
#include "threads.hpp"

namespace skreg {
namespace SKREG_ISA {

constexpr int kTileVectors = 2;  // width of the register tile, in vectors

template <class T>
constexpr int64_t kTileColumns = kTileVectors * kLanes<T>;

// Packing memory: a block of B, and behind it the rows of a strip of A.
template <class T>
constexpr int64_t kBlockSize = kBlockDepth * (kBlockColumns + kTileColumns<T>);
template <class T>
constexpr int64_t kRowsVectors = (kTileRows + kLanes<T> - 1) / kLanes<T>;  // hold a strip's part of a row of A'
template <class T>
constexpr int64_t kRowsSize = (kRowsVectors<T> * kLanes<T>)*(kBlockDepth + kLanes<T>);
static_assert((kBlockSize<double> + kRowsSize<double>)*int64_t(sizeof(double)) <= kPackingBytes, "both must fit");
static_assert((kBlockSize<float> + kRowsSize<float>)*int64_t(sizeof(float)) <= kPackingBytes, "both must fit");

// rows x (vectors * lanes) tile of C over depth terms; B as a panel, C written in its first n_columns.
template <class T, bool TransposeA, int kRows, int kVectors>
void tile(int64_t depth, const T* a, int64_t lda, const T* panel, int64_t ld, T* c, int64_t ldc, int64_t n_columns,
          bool accumulate) {
  Vec<T> sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      const int64_t left = n_columns - j * kLanes<T>;
      sum[i][j] = accumulate ? read(c + i * ldc + j * kLanes<T>, left < kLanes<T> ? left : kLanes<T>) : Vec<T>{};
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    Vec<T> b[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) b[j] = load(panel + k * ld + j * kLanes<T>);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const T a_ik = TransposeA ? a[k * lda + i] : a[i * lda + k];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] += a_ik * b[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      const int64_t left = n_columns - j * kLanes<T>;
      write(c + i * ldc + j * kLanes<T>, sum[i][j], left < kLanes<T> ? left : kLanes<T>);
    }
  }
}

template <class T>
using TileFunction = void (*)(int64_t, const T*, int64_t, const T*, int64_t, T*, int64_t, int64_t, bool);

// The tile with exactly n_rows rows.
template <class T, bool TransposeA, int kVectors, int kRows = kTileRows>
TileFunction<T> tile_of(int n_rows) {
  if constexpr (kRows == 1) {
    return tile<T, TransposeA, 1, kVectors>;
  } else {
    return n_rows == kRows ? tile<T, TransposeA, kRows, kVectors> : tile_of<T, TransposeA, kVectors, kRows - 1>(n_rows);
  }
}

template <class T>
int64_t panel_width(int64_t n_columns) {
  return n_columns <= kLanes<T> ? kLanes<T> : kTileColumns<T>;
}

// The part of op(B) = B in `depth` rows and n_columns columns as panels, row by row: the hardware foresees how a row
// goes on, and not where the next one lies. The last panel is padded with zeros.
template <class T>
void pack_rows(const T* b, int64_t ldb, int64_t depth, int64_t n_columns, T* panels) {
  const int64_t n_wide = n_columns / kTileColumns<T> * kTileColumns<T>, left = n_columns - n_wide;
  const int64_t width = panel_width<T>(left);
  for (int64_t k = 0; k < depth; ++k, b += ldb) {
    for (int64_t j = 0; j < n_wide; j += kTileColumns<T>) {
      T* to = panels + j * depth + k * kTileColumns<T>;
#pragma GCC unroll 2
      for (int v = 0; v < kTileVectors; ++v) store(to + v * kLanes<T>, load(b + j + v * kLanes<T>));
    }
    if (left == 0) continue;
    T* to = panels + n_wide * depth + k * width;
    for (int64_t j = 0; j < width; j += kLanes<T>) store(to + j, read(b + n_wide + j, smaller(kLanes<T>, left - j)));
  }
}

// One panel of op(B) = B': for each of depth terms the next n_columns, padded with zeros to width.
template <class T>
void pack_turned(const T* b, int64_t ldb, int64_t depth, int64_t n_columns, int64_t width, T* panel) {
  constexpr int64_t kAhead = 128;  // bytes: of so many rows at once the hardware foresees nothing
  for (int64_t k0 = 0; k0 < depth; k0 += kLanes<T>) {
    const int64_t n_terms = smaller(kLanes<T>, depth - k0);
    for (int64_t j0 = 0; j0 < width; j0 += kLanes<T>) {
      Vec<T> square[kLanes<T>];
#pragma GCC unroll 16
      for (int j = 0; j < kLanes<T>; ++j) {
        square[j] = j0 + j < n_columns ? read(b + (j0 + j) * ldb + k0, n_terms) : Vec<T>{};
        __builtin_prefetch(b + (j0 + j) * ldb + k0 + kAhead / int64_t(sizeof(T)));
      }
      transpose<T>(square);
#pragma GCC unroll 16
      for (int k = 0; k < kLanes<T>; ++k) {
        if (k < n_terms) store(panel + (k0 + k) * width + j0, square[k]);
      }
    }
  }
}

// Several vectors of a row at once: a chain of additions alone would wait for each of them.
template <class T, int kVectors>
void add_vector_sums(const T* x, int64_t ld, int64_t n_rows, int64_t n, T* sums) {
  Vec<T> s[kVectors];
  for (int j = 0; j < kVectors; ++j) s[j] = read(sums + j * kLanes<T>, n);
  for (int64_t i = 0; i < n_rows; ++i, x += ld) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) s[j] += load(x + j * kLanes<T>);
  }
  for (int j = 0; j < kVectors; ++j) write(sums + j * kLanes<T>, s[j], n);
}

// The rows of a block, or of a panel of it, are as long as whole vectors.
template <class T>
void add_column_sums(const T* x, int64_t ld, int64_t n_rows, int64_t n_columns, T* sums) {
  constexpr int kVectors = 4;
  int64_t j = 0;
  for (; j + kVectors * kLanes<T> <= n_columns; j += kVectors * kLanes<T>) {
    add_vector_sums<T, kVectors>(x + j, ld, n_rows, kLanes<T>, sums + j);
  }
  for_vectors<T>(n_columns - j,
                 [&](int64_t i, int64_t n) { add_vector_sums<T, 1>(x + j + i, ld, n_rows, n, sums + j + i); });
}

// A small B whose rows follow each other is read where it stands.
template <class T>
bool stands_in_place(const Product<T>& p) {
  constexpr int64_t kFirstLevelCache = 24 * 1024;
  return !p.transpose_b && p.n == p.ldb && p.n % kLanes<T> == 0 && p.k * p.n * int64_t(sizeof(T)) <= kFirstLevelCache;
}

// Panel at column j of a block of B: packed one after the other, or in place.
template <class T>
struct Panels {
  const T* first;
  int64_t depth, ld_in_place;  // 0 where packed
  const T* at(int64_t j) const { return first + (ld_in_place ? j : j * depth); }
  int64_t ld(int64_t n_columns) const { return ld_in_place ? ld_in_place : panel_width<T>(n_columns); }
};

// Rows of op(A) in their own order of memory.
template <class T>
struct Rows {
  const T* first;
  int64_t ld;
};

// Many panels read the same rows. Where these lie a multiple of 2 KiB apart they share two of the usual 64 sets of the
// first-level cache (64 lines of 64 bytes are 4 KiB), push each other out at every step, and a copy is faster.
template <class T, bool TransposeA>
Rows<T> take_rows(const Product<T>& p, int64_t row, int n_rows, int64_t k0, int64_t depth, int64_t n_columns,
                  T* memory) {
  constexpr int64_t kSharingBytes = 2048, kManyColumns = 4 * kTileColumns<T>;
  const T* a = TransposeA ? p.a + k0 * p.lda + row : p.a + row * p.lda + k0;
  if (p.lda * int64_t(sizeof(T)) % kSharingBytes != 0 || n_columns < kManyColumns) return {a, p.lda};
  if (TransposeA) {
    constexpr int64_t ld = kRowsVectors<T> * kLanes<T>;
    const bool whole = row + ld <= p.lda;  // vectors may hold numbers that no tile reads
    for (int64_t k = 0; k < depth; ++k) {
#pragma GCC unroll 2
      for (int64_t e = 0; e < ld; e += kLanes<T>) {
        const T* from = a + k * p.lda + e;
        if (whole)
          store(memory + k * ld + e, load(from));
        else if (e < n_rows)
          store(memory + k * ld + e, read(from, smaller(kLanes<T>, n_rows - e)));
      }
    }
    return {memory, ld};
  }
  constexpr int64_t ld = kBlockDepth + kLanes<T>;
  for (int i = 0; i < n_rows; ++i) {
    for_vectors<T>(depth, [&](int64_t e, int64_t n) { write(memory + i * ld + e, read(a + i * p.lda + e, n), n); });
  }
  return {memory, ld};
}

// One strip of C: the rows of A against every panel of the block.
template <class T, bool TransposeA>
void strip(const Product<T>& p, const Panels<T>& panels, int64_t row, int n_rows, int64_t k0, int64_t col,
           int64_t n_columns, bool accumulate, T* memory) {
  const Rows<T> a = take_rows<T, TransposeA>(p, row, n_rows, k0, panels.depth, n_columns, memory);
  T* const c = p.c + row * p.ldc + col;
  const int64_t ldc = p.ldc, ld = panels.ld(kTileColumns<T>);
  const TileFunction<T> wide = tile_of<T, TransposeA, kTileVectors>(n_rows);
  int64_t j = 0;
  for (; j + kLanes<T> < n_columns; j += kTileColumns<T>) {
    wide(panels.depth, a.first, a.ld, panels.at(j), ld, c + j, ldc, smaller(kTileColumns<T>, n_columns - j),
         accumulate);
  }
  if (j >= n_columns) return;
  const int64_t n = n_columns - j;
  tile_of<T, TransposeA, 1>(n_rows)(panels.depth, a.first, a.ld, panels.at(j), panels.ld(n), c + j, ldc, n, accumulate);
}

// The block of B at (k0, col); packs it into `memory` where needed and adds its column sums.
template <class T>
Panels<T> take_block(const Product<T>& p, T* memory, T* column_sums, int64_t k0, int64_t depth, int64_t col,
                     int64_t n_columns) {
  const bool in_place = stands_in_place(p);
  const Panels<T> panels = {in_place ? p.b + k0 * p.ldb + col : memory, depth, in_place ? p.ldb : 0};
  if (in_place) {
    if (column_sums) add_column_sums(panels.first, p.ldb, depth, n_columns, column_sums + col);
    return panels;
  }
  if (!p.transpose_b) pack_rows(p.b + k0 * p.ldb + col, p.ldb, depth, n_columns, memory);
  for (int64_t j = 0; j < n_columns; j += kTileColumns<T>) {
    const int64_t n = smaller(kTileColumns<T>, n_columns - j);
    if (p.transpose_b)
      pack_turned(p.b + (col + j) * p.ldb + k0, p.ldb, depth, n, panel_width<T>(n), memory + j * depth);
    if (column_sums) add_column_sums(panels.at(j), panels.ld(n), depth, n, column_sums + col + j);
  }
  return panels;
}

// As few strips as the tile's height allows, all of nearly the same height.
inline int64_t count_strips(int64_t m) { return (m + kTileRows - 1) / kTileRows; }

// The part of C in a range of strips and a range of columns, which starts a panel.
template <class T>
void multiply_part(const Product<T>& p, int64_t first_strip, int64_t end_strip, int64_t first_col, int64_t end_col) {
  const int64_t n_strips = count_strips(p.m), height = p.m / n_strips, n_taller = p.m % n_strips;
  T* memory = static_cast<T*>(packing_memory());
  T* column_sums = first_strip == 0 ? p.column_sums : nullptr;
  for (int64_t col = first_col; col < end_col; col += kBlockColumns) {
    const int64_t n_columns = smaller(kBlockColumns, end_col - col);
    for (int64_t k0 = 0; k0 < p.k; k0 += kBlockDepth) {
      const int64_t depth = smaller(kBlockDepth, p.k - k0);
      const bool last = k0 + depth == p.k;
      const Panels<T> panels = take_block(p, memory, column_sums, k0, depth, col, n_columns);
      for (int64_t s = first_strip; s < end_strip; ++s) {
        const int64_t row = s * height + smaller(s, n_taller);
        const int n_rows = int(height + (s < n_taller));
        const bool accumulate = p.accumulate || k0 > 0;
        T* rows = memory + kBlockSize<T>;
        p.transpose_a ? strip<T, true>(p, panels, row, n_rows, k0, col, n_columns, accumulate, rows)
                      : strip<T, false>(p, panels, row, n_rows, k0, col, n_columns, accumulate, rows);
        if (last && p.finish.call) p.finish.call(p.finish.self, {row, n_rows, col, n_columns});
      }
    }
  }
}

// How C is divided: `rows` x `columns` parts of strips and panels.
struct Grid {
  int rows, columns;
};

// The grid whose largest part is the fastest. Parts of a column of the grid each pack the same panels, which takes
// about as long as two strips.
inline Grid choose_grid(int n_threads, int64_t n_strips, int64_t n_panels) {
  Grid best = {1, 1};
  int64_t lowest = n_panels * (n_strips + 2);
  for (int columns = 1; columns <= n_threads && columns <= n_panels; ++columns) {
    const int rows = int(smaller(n_threads / columns, n_strips));
    const int64_t cost = (n_panels + columns - 1) / columns * ((n_strips + rows - 1) / rows + 2);
    if (cost < lowest) {
      lowest = cost;
      best = {rows, columns};
    }
  }
  return best;
}

template <class T>
void product(const Product<T>& p) {
  if (thin_product(p)) return;
  constexpr double kMultiplyAddsPerNanosecond = kMultiplyAddBytes / double(sizeof(T));
  const int64_t n_strips = count_strips(p.m), n_panels = (p.n + kTileColumns<T> - 1) / kTileColumns<T>;
  const int n_threads = threads_for(double(p.m) * double(p.n) * double(p.k) / kMultiplyAddsPerNanosecond);
  const Grid grid = choose_grid(n_threads, n_strips, n_panels);
  parallel(grid.rows * grid.columns, [&](int part) {
    const int r = part / grid.columns, c = part % grid.columns;
    multiply_part(p, r * n_strips / grid.rows, (r + 1) * n_strips / grid.rows,
                  c * n_panels / grid.columns * kTileColumns<T>,
                  smaller(p.n, (c + 1) * n_panels / grid.columns * kTileColumns<T>));
  });
}

}  // namespace SKREG_ISA
}  // namespace skreg

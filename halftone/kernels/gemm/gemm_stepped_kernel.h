// The inner loops of the kernels that multiply in steps, for any vectors: X_vectors headers give `Vectors`, the
// including source derives `Bytes` from it. Included once by each source, after both.

namespace halftone::kernels {
namespace {

using Int = Bytes::Int;
constexpr int64_t kLanes = Bytes::kLanes;
constexpr int kMaxRows = 8;  // of a block: one accumulator each, and half of the registers left over
using Constants = TileConstants<kLanes>;

// Keeps what is computed before it before what follows. Without, GCC starts with all rows' products and runs out of
// registers.
HT_INLINE void in_order(Int& v) { asm volatile("" : "+x"(v)); }

// What remains to be done of a tile's steps.
struct Cursor {
  const uint32_t* steps;
  const std::byte* weights;
};

template <StepKind kKind, int kRows>
HT_INLINE void run_steps(uint32_t count, const uint8_t* const (&rows)[kRows], Cursor& cursor, Int (&acc)[kRows]) {
  constexpr int kGroups = groups_of(kKind);
  constexpr bool kMasked = is_masked(kKind);
  const Int ones = Bytes::all16(1);
  for (; count != 0; --count) {
    Int weights[kGroups], masks[kGroups];
    uint32_t offsets[kGroups];
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) {
      offsets[g] = cursor.steps[g];
      weights[g] = Bytes::load(cursor.weights + g * Bytes::kBytes);
      if (kMasked) masks[g] = Bytes::load(cursor.weights + (kGroups + g) * Bytes::kBytes);
    }
    cursor.steps += kGroups;
    cursor.weights += (kMasked ? 2 : 1) * kGroups * Bytes::kBytes;
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      Int sum = Bytes::zero();
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; ++g) {
        Int x = Bytes::repeat4(rows[r] + offsets[g]);
        if (kMasked) x = Bytes::exclusive_or(x, masks[g]);
        x = Bytes::multiply_pairs(x, weights[g]);
        sum = g == 0 ? x : Bytes::add16(sum, x);
      }
      acc[r] = Bytes::add32(acc[r], Bytes::madd16(sum, ones));
      in_order(acc[r]);
    }
  }
}

// Sums of `kRows` rows with the columns of one tile.
template <int kRows>
void sum_block(const SteppedHeader& header, const std::byte* tile, const uint8_t* const* rows, int32_t* to) {
  const auto& constants = *reinterpret_cast<const Constants*>(tile);
  Cursor cursor = {reinterpret_cast<const uint32_t*>(tile + sizeof(Constants)), tile + constants.weights};
  Int acc[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) acc[r] = Bytes::load(constants.bias);
  for (int64_t tap = 0; tap < header.taps; ++tap) {
    const uint8_t* x[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) x[r] = rows[r * header.taps + tap];
    const uint32_t* counts = cursor.steps;
    cursor.steps += kStepKinds;
    run_steps<StepKind::Four>(counts[0], x, cursor, acc);
    run_steps<StepKind::Two>(counts[1], x, cursor, acc);
    run_steps<StepKind::One>(counts[2], x, cursor, acc);
    run_steps<StepKind::TwoMasked>(counts[3], x, cursor, acc);
    run_steps<StepKind::OneMasked>(counts[4], x, cursor, acc);
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) Bytes::store(to + r * kLanes, acc[r]);
}

using SumBlock = void (*)(const SteppedHeader&, const std::byte*, const uint8_t* const*, int32_t*);
constexpr SumBlock kSumBlock[] = {nullptr,      sum_block<1>, sum_block<2>, sum_block<3>, sum_block<4>,
                                  sum_block<5>, sum_block<6>, sum_block<7>, sum_block<8>};

// Where one block's results go.
struct Place {
  std::byte* to;
  int64_t stride;
  int rows;
  int64_t columns;  // of the tile, at most kLanes
};

struct FloatSteps {
  explicit FloatSteps(const Constants& c) : multiplier(Bytes::as_float(Bytes::load(c.multiplier))) {}
  HT_INLINE Int operator()(Int acc) const { return Bytes::round(Bytes::mul(Bytes::to_float(acc), multiplier)); }
  Bytes::Float multiplier;
};

// steps = (acc * M + 2^(s-1)) >> s, which fits int32. There is no arithmetic shift of 64 bits: 2^63 more makes the
// product positive and the quotient larger by 2^(63-s), of which the low half is subtracted.
struct DyadicSteps {
  explicit DyadicSteps(const Constants& c) {
    const Int shift = Bytes::load(c.dyadic_shift), low_half = Bytes::all64(0xFFFFFFFF);
    m_even = Bytes::load(c.dyadic_multiplier);
    m_odd = Bytes::odd_to_even32(m_even);
    shift_even = Bytes::and64(shift, low_half);
    shift_odd = Bytes::odd_to_even32(shift);
    add_even = addend(shift_even);
    add_odd = addend(shift_odd);
    excess = Bytes::join32(excess_of(shift_even), excess_of(shift_odd));
  }
  HT_INLINE Int operator()(Int acc) const {
    const Int even = Bytes::mul_even32(acc, m_even), odd = Bytes::mul_even32(Bytes::odd_to_even32(acc), m_odd);
    const Int low = Bytes::shift_right64_by(Bytes::add64(even, add_even), shift_even);
    const Int high = Bytes::shift_right64_by(Bytes::add64(odd, add_odd), shift_odd);
    return Bytes::sub32(Bytes::join32(low, high), excess);
  }
  static HT_INLINE Int excess_of(Int shift) {
    return Bytes::shift_right64_by(Bytes::all64(std::numeric_limits<int64_t>::min()), shift);
  }
  static HT_INLINE Int addend(Int shift) {
    const Int half = Bytes::shift_right64_by(Bytes::shift_left64_by(Bytes::all64(1), shift), Bytes::all64(1));
    return Bytes::add64(half, Bytes::all64(std::numeric_limits<int64_t>::min()));
  }
  Int m_even, m_odd, shift_even, shift_odd, add_even, add_odd, excess;
};

template <typename Steps>
void store_codes(const SteppedHeader& header, const Constants& constants, const int32_t* sums, const Place& place) {
  const Steps steps(constants);
  const Int zero_point = Bytes::all16(header.zero_point);
  const Int low = Bytes::all8(header.low), high = Bytes::all8(header.high);
  std::byte* to = place.to;
  for (int row = 0; row < place.rows; row += 4, sums += 4 * kLanes, to += 4 * place.stride) {
    const auto at = [&](int r) { return steps(Bytes::load(sums + r * kLanes)); };
    const Int first = Bytes::adds16(Bytes::pack32(at(0), at(1)), zero_point);
    const Int second = Bytes::adds16(Bytes::pack32(at(2), at(3)), zero_point);
    const Int codes = Bytes::min8(Bytes::max8(Bytes::sort_packed(Bytes::pack16(first, second)), low), high);
    if (place.columns == kLanes && row + 4 <= place.rows) {
      Bytes::store_quarters(to, place.stride, codes);
    } else {
      alignas(64) std::byte quarters[Bytes::kBytes];
      Bytes::store(quarters, codes);
      for (int r = 0; r < 4 && row + r < place.rows; ++r) {
        for (int64_t c = 0; c < place.columns; ++c) to[r * place.stride + c] = quarters[r * kLanes + c];
      }
    }
  }
}

void store_real(const Constants& constants, const int32_t* sums, const float* scales, const Place& place) {
  const Bytes::Float multiplier = Bytes::as_float(Bytes::load(constants.multiplier));
  for (int r = 0; r < place.rows; ++r) {
    const Bytes::Float factor = scales != nullptr ? Bytes::mul(Bytes::all(scales[r]), multiplier) : multiplier;
    const Int real = Bytes::as_int(Bytes::mul(Bytes::to_float(Bytes::load(sums + r * kLanes)), factor));
    if (place.columns == kLanes) {
      Bytes::store(place.to + r * place.stride, real);
    } else {
      Bytes::store_first(place.to + r * place.stride, real, place.columns * 4);
    }
  }
}

// The rare steps between sums and results: what rows add, and bounds that keep steps in int32.
void adjust(const SteppedHeader& header, const Constants& constants, int32_t* sums, const int32_t* terms, int rows) {
  const Int term = Bytes::load(constants.term), bound = Bytes::load(constants.bound);
  for (int r = 0; r < rows; ++r, sums += kLanes) {
    Int sum = Bytes::load(sums);
    if (header.has_terms) sum = Bytes::add32(sum, Bytes::mul32(Bytes::all32(terms[r]), term));
    if (header.clamps) sum = Bytes::max32(Bytes::min32(sum, bound), Bytes::sub32(Bytes::zero(), bound));
    Bytes::store(sums, sum);
  }
}

// The size of the next block when `rows` are left: as few blocks as possible, of about equal size.
int block_of(int64_t rows) {
  const int64_t blocks = (rows + kMaxRows - 1) / kMaxRows;
  return static_cast<int>((rows + blocks - 1) / blocks);
}

void run_tile(const SteppedHeader& header, const std::byte* packed, int64_t tile, const GemmRun& run, int64_t first,
              int64_t last) {
  const auto* offsets = reinterpret_cast<const uint64_t*>(packed + sizeof(SteppedHeader));
  const std::byte* at = packed + offsets[tile];
  const auto& constants = *reinterpret_cast<const Constants*>(at);
  const int64_t column = tile * kLanes;
  const int64_t element = header.result == GemmResult::Real ? 4 : 1;
  alignas(64) int32_t sums[kMaxRows * kLanes] = {};
  for (int64_t row = first; row < last;) {
    const int rows = block_of(last - row);
    kSumBlock[rows](header, at, run.rows + row * header.taps, sums);
    if (header.has_terms || header.clamps) {
      adjust(header, constants, sums, header.has_terms ? run.row_terms + row : nullptr, rows);
    }
    const Place place = {static_cast<std::byte*>(run.to) + row * run.to_stride + column * element, run.to_stride, rows,
                         header.columns - column < kLanes ? header.columns - column : kLanes};
    if (header.result == GemmResult::Real) {
      store_real(constants, sums, run.row_scales != nullptr ? run.row_scales + row : nullptr, place);
    } else if (header.mode == RequantizeMode::Float) {
      store_codes<FloatSteps>(header, constants, sums, place);
    } else {
      store_codes<DyadicSteps>(header, constants, sums, place);
    }
    row += rows;
  }
}

void run_stepped(const std::byte* packed, const GemmRun& run) {
  const auto& header = *reinterpret_cast<const SteppedHeader*>(packed);
  // Rows that stay in the first level of cache while the tiles pass over them.
  const int64_t bytes = header.taps * header.depth + 1;
  const int64_t fit = kCachedRows / bytes / kMaxRows * kMaxRows;
  const int64_t chunk = fit < 2 * kMaxRows ? 2 * kMaxRows : fit > 64 ? 64 : fit;
  for (int64_t row = 0; row < run.row_count; row += chunk) {
    const int64_t last = row + chunk < run.row_count ? row + chunk : run.row_count;
    for (int64_t tile = run.first_block; tile < run.last_block; ++tile) run_tile(header, packed, tile, run, row, last);
  }
}

const char* accept(const GemmProblem&) { return ""; }
size_t packed_bytes(const GemmProblem& problem) { return stepped_packed_bytes(problem, kLanes); }
void pack(const GemmProblem& problem, std::byte* to) { pack_stepped(problem, kLanes, to); }
int64_t column_blocks(const std::byte* packed) { return reinterpret_cast<const SteppedHeader*>(packed)->tiles; }
int64_t first_column(const std::byte* packed, int64_t block) {
  const int64_t columns = reinterpret_cast<const SteppedHeader*>(packed)->columns;
  return block * kLanes < columns ? block * kLanes : columns;
}
size_t scratch_bytes(const std::byte*) { return 0; }

}  // namespace
}  // namespace halftone::kernels

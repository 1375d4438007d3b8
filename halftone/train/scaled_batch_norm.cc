#include "halftone/train/scaled_batch_norm.h"

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/train/slices.h"

namespace halftone::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Sums are made in so many strands, which the compiler works on side by side.
constexpr int64_t kStrands = 16;

template <typename Term>
double strand_sum(int64_t count, Term term) {
  float sums[kStrands] = {};
  int64_t i = 0;
  for (; i + kStrands <= count; i += kStrands) {
    for (int64_t strand = 0; strand < kStrands; ++strand) sums[strand] += term(i + strand);
  }
  for (; i < count; ++i) sums[i % kStrands] += term(i);
  double sum = 0;
  for (const float each : sums) sum += static_cast<double>(each);
  return sum;
}

// Mean and summed squares of the distances from it.
struct Moments {
  double count = 0, mean = 0, squares = 0;

  static Moments of(const float* x, int64_t count) {
    Moments moments{static_cast<double>(count)};
    moments.mean = strand_sum(count, [&](int64_t i) { return x[i]; }) / moments.count;
    const auto mean = static_cast<float>(moments.mean);
    moments.squares = strand_sum(count, [&](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
    return moments;
  }
  // Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
  void add(const Moments& other) {
    const double total = count + other.count, apart = other.mean - mean;
    if (other.count == 0) return;
    squares += other.squares + apart * apart * count * other.count / total;
    mean += apart * other.count / total;
    count = total;
  }
};

struct Sums {
  double gradient = 0, product = 0;
};

// Adds up what the pieces of each slice found, in their order.
template <typename T, typename Add>
std::vector<T> joined(const Slices& slices, const std::vector<T>& pieces, Add add) {
  std::vector<T> all(static_cast<size_t>(slices.count));
  const auto each = static_cast<size_t>(pieces_per_slice(slices));
  for (size_t i = 0; i < pieces.size(); ++i) add(all[i / each], pieces[i]);
  return all;
}

std::vector<float> numbers_of(const at::Tensor& list) {
  const at::Tensor dense = list.contiguous();
  return {dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel()};
}

struct ScaledBatchNorm : torch::autograd::Function<ScaledBatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given, const at::Tensor& factor,
                            const at::Tensor& shift, const at::Tensor& gamma, const at::Tensor& beta,
                            const RunningStatistics& running) {
    const at::Tensor y = given.contiguous();
    const Slices slices(y, 1);
    const float* from = y.data_ptr<float>();
    std::vector<Moments> pieces(static_cast<size_t>(slices.count * pieces_per_slice(slices)));
    for_each_piece(slices, [&](int64_t, int64_t first, int64_t last, int64_t number) {
      pieces[static_cast<size_t>(number)] = Moments::of(from + first, last - first);
    });
    const std::vector<Moments> all = joined(slices, pieces, [](Moments& sum, const Moments& each) { sum.add(each); });

    at::Tensor mean = at::empty({slices.count}), rate = at::empty({slices.count});
    std::vector<float> slopes(all.size());
    const std::vector<float> f = numbers_of(factor), g = numbers_of(gamma), b = numbers_of(beta);
    at::Tensor batch_mean = at::empty({slices.count}), batch_variance = at::empty({slices.count});
    for (size_t c = 0; c < all.size(); ++c) {
      const auto scale = static_cast<double>(f[c]);
      const double variance = all[c].squares / all[c].count;
      const double r = 1 / std::sqrt(variance + running.epsilon * scale * scale);
      mean.data_ptr<float>()[c] = static_cast<float>(all[c].mean);
      rate.data_ptr<float>()[c] = static_cast<float>(r);
      slopes[c] = static_cast<float>((scale < 0 ? -r : r) * static_cast<double>(g[c]));
      batch_mean.data_ptr<float>()[c] = static_cast<float>(all[c].mean / scale);
      batch_variance.data_ptr<float>()[c] =
          static_cast<float>(all[c].squares / std::max(1.0, all[c].count - 1) / (scale * scale));
    }
    at::Tensor(running.mean).mul_(running.momentum).add_(batch_mean + shift, 1 - running.momentum);
    at::Tensor(running.variance).mul_(running.momentum).add_(batch_variance, 1 - running.momentum);

    at::Tensor result = at::empty_like(y);
    float* to = result.data_ptr<float>();
    for_each_piece(slices, [&](int64_t slice, int64_t first, int64_t last, int64_t) {
      const auto c = static_cast<size_t>(slice);
      const float slope = slopes[c], center = mean.data_ptr<float>()[c], offset = b[c];
      for (int64_t i = first; i < last; ++i) to[i] = (from[i] - center) * slope + offset;
    });
    context->save_for_backward({y, factor, gamma, mean, rate});
    context->saved_data["epsilon"] = running.epsilon;
    return result;
  }

  // With x^ = (y - mean) r, r = 1 / sqrt(var + epsilon factor^2), slope = sign(factor) gamma r:
  //   dL/dy = slope (dL/dout - mean(dL/dout) - x^ mean(x^ dL/dout))
  //   dL/dgamma = sign(factor) sum(x^ dL/dout),  dL/dbeta = sum(dL/dout)
  //   dL/dfactor = -epsilon factor slope r sum(x^ dL/dout)
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& y = saved[0];
    const std::vector<float> f = numbers_of(saved[1]), g = numbers_of(saved[2]), means = numbers_of(saved[3]),
                             rates = numbers_of(saved[4]);
    const double epsilon = context->saved_data["epsilon"].toDouble();
    const at::Tensor given = gradients[0].contiguous();
    const Slices slices(y, 1);
    const float *values = y.data_ptr<float>(), *from = given.data_ptr<float>();
    std::vector<Sums> pieces(static_cast<size_t>(slices.count * pieces_per_slice(slices)));
    for_each_piece(slices, [&](int64_t slice, int64_t first, int64_t last, int64_t number) {
      const float *x = values + first, *dy = from + first;
      const float mean = means[static_cast<size_t>(slice)];
      Sums& sums = pieces[static_cast<size_t>(number)];
      sums.gradient = strand_sum(last - first, [&](int64_t i) { return dy[i]; });
      sums.product = strand_sum(last - first, [&](int64_t i) { return dy[i] * (x[i] - mean); });
    });
    const std::vector<Sums> all = joined(slices, pieces, [](Sums& sum, const Sums& each) {
      sum.gradient += each.gradient;
      sum.product += each.product;
    });

    // dL/dy = slope dL/dout + tilt (y - mean) + constant
    struct Line {
      float slope, tilt, mean, constant;
    };
    std::vector<Line> lines(all.size());
    at::Tensor of_factor = at::empty_like(saved[1]), of_gamma = at::empty_like(saved[2]),
               of_beta = at::empty_like(saved[2]);
    const auto count = static_cast<double>(slices.outer * slices.inner);
    for (size_t c = 0; c < all.size(); ++c) {
      const auto scale = static_cast<double>(f[c]), r = static_cast<double>(rates[c]);
      const double sign = scale < 0 ? -1 : 1, product = all[c].product * r;
      const double slope = sign * static_cast<double>(g[c]) * r;
      lines[c] = {static_cast<float>(slope), static_cast<float>(-slope * r * product / count), means[c],
                  static_cast<float>(-slope * all[c].gradient / count)};
      of_gamma.data_ptr<float>()[c] = static_cast<float>(sign * product);
      of_beta.data_ptr<float>()[c] = static_cast<float>(all[c].gradient);
      of_factor.data_ptr<float>()[c] = static_cast<float>(-epsilon * scale * slope * r * product);
    }
    at::Tensor dy = at::empty_like(y);
    float* to = dy.data_ptr<float>();
    for_each_piece(slices, [&](int64_t slice, int64_t first, int64_t last, int64_t) {
      const Line line = lines[static_cast<size_t>(slice)];
      for (int64_t i = first; i < last; ++i) {
        to[i] = from[i] * line.slope + (values[i] - line.mean) * line.tilt + line.constant;
      }
    });
    return {dy, of_factor, at::Tensor(), of_gamma, of_beta, at::Tensor()};
  }
};

}  // namespace

at::Tensor scaled_batch_norm(const at::Tensor& y, const at::Tensor& factor, const at::Tensor& shift,
                             const at::Tensor& gamma, const at::Tensor& beta, const RunningStatistics& running) {
  HT_CHECK(y.dim() >= 2 && y.scalar_type() == at::kFloat && factor.numel() == y.size(1));
  return ScaledBatchNorm::apply(y, factor, shift.defined() ? shift : at::zeros({1}), gamma, beta, running);
}

}  // namespace halftone::train

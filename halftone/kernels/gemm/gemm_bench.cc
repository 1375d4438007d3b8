// Speed of every kernel of kernels.def on the convolutions of mobilenet_v2 and of networks for small images, next to
// this core's peak, measured in the same minute by loops that touch registers only. Layers run one after the other, as
// in a network, so that weights come from where they would come from there.
//
//   bench_gemm [--dyadic] [--rounds N] [--kernel NAME]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/kernels/conv/conv.h"
#include "halftone/kernels/gemm/gemm_test_case.h"
#include "halftone/kernels/peak/peak.h"

namespace halftone::kernels {
namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The best of the processor's loops on int8 and int16, measured a little in each round.
class Peaks {
 public:
  void measure_some() {
    for (size_t i = 0; i < peak_loops().size(); ++i) {
      const PeakLoop& loop = peak_loops()[i];
      if (!has_isa(loop.isa) || loop.unit == PeakUnit::Float) continue;
      constexpr int64_t kRounds = 4096;
      const double start = seconds();
      loop.run(kRounds);
      const double operations = static_cast<double>(kRounds * kPeakAccumulators * loop.operations);
      rates_[i] = std::max(rates_[i], operations / (seconds() - start));
    }
  }
  void print() const {
    for (size_t i = 0; i < rates_.size(); ++i) {
      if (rates_[i] > 0)
        std::printf("peak %-22s %7.1f GOP/s\n", std::string(peak_loops()[i].name).c_str(), 1e-9 * rates_[i]);
    }
  }
  double best() const { return *std::max_element(rates_.begin(), rates_.end()); }

 private:
  std::vector<double> rates_ = std::vector<double>(peak_loops().size());
};

struct Layer {
  const char* name;
  int count;
  ConvShape shape;
  GemmResult result = GemmResult::Codes;
  bool pointwise = true;
};

ConvShape square(int64_t size, int64_t ic, int64_t oc, int64_t kernel, int64_t stride) {
  const int64_t out = (size + stride - 1) / stride;
  return {.in_height = size,
          .in_width = size,
          .in_channels = ic,
          .out_height = out,
          .out_width = out,
          .out_channels = oc,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .stride_height = stride,
          .stride_width = stride,
          .pad_top = kernel / 2,
          .pad_left = kernel / 2,
          .in_pixel_stride = ic,
          .out_pixel_stride = oc};
}

std::vector<Layer> layers() {
  std::vector<Layer> list;
  const auto pointwise = [&](const char* name, int count, int64_t size, int64_t ic, int64_t oc) {
    list.push_back({name, count, square(size, ic, oc, 1, 1)});
  };
  list.push_back({"224 3x3 3-32 /2", 1, square(224, 3, 32, 3, 2), GemmResult::Codes, false});
  pointwise("12544 32-16", 1, 112, 32, 16);
  pointwise("12544 16-96", 1, 112, 16, 96);
  pointwise("3136 96-24", 1, 56, 96, 24);
  pointwise("3136 24-144", 2, 56, 24, 144);
  pointwise("3136 144-24", 1, 56, 144, 24);
  pointwise("784 144-32", 1, 28, 144, 32);
  pointwise("784 32-192", 3, 28, 32, 192);
  pointwise("784 192-32", 2, 28, 192, 32);
  pointwise("196 192-64", 1, 14, 192, 64);
  pointwise("196 64-384", 4, 14, 64, 384);
  pointwise("196 384-64", 3, 14, 384, 64);
  pointwise("196 384-96", 1, 14, 384, 96);
  pointwise("196 96-576", 3, 14, 96, 576);
  pointwise("196 576-96", 2, 14, 576, 96);
  pointwise("49 576-160", 1, 7, 576, 160);
  pointwise("49 160-960", 3, 7, 160, 960);
  pointwise("49 960-160", 2, 7, 960, 160);
  pointwise("49 960-320", 1, 7, 960, 320);
  pointwise("49 320-1280", 1, 7, 320, 1280);
  list.push_back({"1 1280-1000 real", 1, square(1, 1280, 1000, 1, 1), GemmResult::Real, false});
  list.back().shape.out_pixel_stride = 4000;
  list.push_back({"32 3x3 16-16", 1, square(32, 16, 16, 3, 1), GemmResult::Codes, false});
  list.push_back({"16 3x3 32-32", 1, square(16, 32, 32, 3, 1), GemmResult::Codes, false});
  list.push_back({"8 3x3 64-64", 1, square(8, 64, 64, 3, 1), GemmResult::Codes, false});
  return list;
}

// One layer on one kernel: `count` copies of the weights, as they are different layers.
class LayerOnKernel {
 public:
  LayerOnKernel(const Layer& layer, const GemmKernel& kernel, RequantizeMode mode) : layer_(layer) {
    const ConvShape& s = layer.shape;
    const int64_t count = s.kernel_height * s.kernel_width * s.in_channels;
    Rng rng(static_cast<uint64_t>(count + s.out_channels));
    std::vector<int8_t> weights(static_cast<size_t>(count * s.out_channels));
    // As trained weights: bell-shaped, with the largest of a few hundred at the end of the range.
    for (int8_t& w : weights) w = static_cast<int8_t>(std::clamp(rng.normal() * 40, -127.0, 127.0));
    const std::vector<int32_t> bias(static_cast<size_t>(s.out_channels), 1000);
    const std::vector<float> multipliers(bias.size(), 0.003F / std::sqrt(static_cast<float>(count)));
    ConvProblem problem;
    problem.shape = s;
    problem.product.mode = mode;
    problem.product.result = layer.result;
    problem.product.weights = weights.data();
    problem.product.bias = bias.data();
    problem.product.multipliers = multipliers.data();
    problem.product.x_zero_point = 3;
    problem.product.zero_point = 128;
    for (int i = 0; i < layer.count; ++i) {
      blobs_.emplace_back(conv_packed_bytes(kernel, problem));
      pack_conv(kernel, problem, blobs_.back().data());
      convs_.emplace_back(kernel, blobs_.back().data());
    }
  }
  double macs() const { return convs_[0].operations(1) * layer_.count; }
  size_t scratch_bytes() const { return convs_[0].scratch_bytes(); }
  void run(const uint8_t* src, void* dst, std::byte* scratch) {
    const double start = seconds();
    for (const Conv& conv : convs_) conv.run(src, dst, conv.whole(1), scratch);
    best_ = std::min(best_, seconds() - start);
  }
  double best() const { return best_; }

 private:
  Layer layer_;
  std::vector<AlignedBytes> blobs_;
  std::vector<Conv> convs_;
  double best_ = std::numeric_limits<double>::infinity();
};

struct Options {
  RequantizeMode mode = RequantizeMode::Float;
  int rounds = 100;
  std::string kernel;
};

void bench(const Options& options) {
  Peaks peaks;
  const std::vector<Layer> list = layers();
  std::vector<const GemmKernel*> kernels;
  for (const GemmKernel& kernel : gemm_kernels()) {
    const bool asked = options.kernel.empty() ? kernel.isa != Isa::Portable : options.kernel == kernel.name;
    if (asked && has_isa(kernel.isa)) kernels.push_back(&kernel);
  }
  AlignedBytes src(2 << 20), dst(2 << 20);
  Rng rng(1);
  for (size_t i = 0; i < (2 << 20); ++i) src.data()[i] = static_cast<std::byte>(rng.below(256));
  std::vector<std::vector<LayerOnKernel>> work;
  size_t scratch_bytes = 0;
  for (const GemmKernel* kernel : kernels) {
    work.emplace_back();
    for (const Layer& layer : list) {
      work.back().emplace_back(layer, *kernel, options.mode);
      scratch_bytes = std::max(scratch_bytes, work.back().back().scratch_bytes());
    }
  }
  AlignedBytes scratch(scratch_bytes);
  for (int round = 0; round < options.rounds; ++round) {
    peaks.measure_some();
    for (auto& network : work) {
      for (LayerOnKernel& layer : network) {
        layer.run(reinterpret_cast<const uint8_t*>(src.data()), dst.data(), scratch.data());
      }
    }
  }

  peaks.print();
  std::printf("\n%-18s", "us, GOP/s, of peak");
  for (const GemmKernel* kernel : kernels) std::printf(" | %24s", std::string(kernel->name).c_str());
  std::printf("\n");
  const auto row = [&](const char* name, const auto& keep) {
    std::printf("%-18s", name);
    for (const auto& network : work) {
      double macs = 0, time = 0;
      for (size_t i = 0; i < list.size(); ++i) {
        if (!keep(i)) continue;
        macs += network[i].macs();
        time += network[i].best();
      }
      std::printf(" | %9.1f %7.1f  %.3f", 1e6 * time, 2e-9 * macs / time, 2 * macs / time / peaks.best());
    }
    std::printf("\n");
  };
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string name = (list[i].count > 1 ? std::to_string(list[i].count) + "x " : "") + list[i].name;
    row(name.c_str(), [&](size_t j) { return j == i; });
  }
  row("all pointwise", [&](size_t i) { return list[i].pointwise; });
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--dyadic") == 0) options.mode = RequantizeMode::Dyadic;
    if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) options.rounds = std::atoi(argv[++i]);
    if (std::strcmp(argv[i], "--kernel") == 0 && i + 1 < argc) options.kernel = argv[++i];
  }
  return options;
}

}  // namespace
}  // namespace halftone::kernels

int main(int argc, char** argv) { halftone::kernels::bench(halftone::kernels::parse(argc, argv)); }

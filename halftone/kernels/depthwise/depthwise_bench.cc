// Times every kernel that runs here on the depthwise layers of MobileNetV2 (224 x 224), batch 1, one thread, with
// requantization: microseconds (least of many runs), operations and bytes of input and output per second,
// and the sum over the network. `bench_depthwise [dyadic] [KERNEL...]`
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/kernels/depthwise/depthwise.h"

namespace halftone::kernels {
namespace {

struct Layer {
  int64_t size, channels, stride, count;
};
constexpr Layer kLayers[] = {{112, 32, 1, 1}, {112, 96, 2, 1}, {56, 144, 1, 1}, {56, 144, 2, 1}, {28, 192, 1, 2},
                             {28, 192, 2, 1}, {14, 384, 1, 4}, {14, 576, 1, 2}, {14, 576, 2, 1}, {7, 960, 1, 3}};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The least time of one run in some 30 ms of them.
double time_layer(const DepthwiseKernel& kernel, const Layer& layer, RequantizeMode mode) {
  Rng rng(1);
  std::vector<int8_t> weights(static_cast<size_t>(layer.channels * 9));
  for (int8_t& w : weights) w = static_cast<int8_t>(static_cast<int64_t>(rng.below(255)) - 127);
  std::vector<int32_t> bias(static_cast<size_t>(layer.channels), 1000);
  std::vector<float> multipliers(static_cast<size_t>(layer.channels), 0.004F);
  DepthwiseProblem problem = {.channels = layer.channels, .kernel_h = 3, .kernel_w = 3};
  problem.stride_h = problem.stride_w = layer.stride;
  problem.mode = mode;
  problem.weights = weights.data();
  problem.bias = bias.data();
  problem.multipliers = multipliers.data();
  std::vector<std::byte> memory(kernel.packed_bytes(problem) + 64);
  std::byte* blob = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
  kernel.pack(problem, blob);

  const int64_t out = (layer.size - 1) / layer.stride + 1;
  std::vector<uint8_t> from(static_cast<size_t>(layer.size * layer.size * layer.channels) + kSlack);
  std::vector<uint8_t> to(static_cast<size_t>(out * out * layer.channels) + kSlack);
  for (uint8_t& byte : from) byte = static_cast<uint8_t>(rng.below(256));
  DepthwiseRun run = {.from = from.data(), .to = to.data(), .in_h = layer.size, .in_w = layer.size};
  run.out_h = run.out_w = run.last_row = out;
  run.pad_top = run.pad_left = 1;
  run.from_stride = run.to_stride = layer.channels;
  run.last_block = kernel.blocks(blob);
  double least = 1;
  for (const double end = seconds() + 0.03; seconds() < end;) {
    const double start = seconds();
    kernel.run(blob, run);
    least = std::min(least, seconds() - start);
  }
  return least;
}

void bench(const DepthwiseKernel& kernel, RequantizeMode mode) {
  double total = 0, total_operations = 0;
  fmt::print("{}, {} requantization\n", kernel.name, mode == RequantizeMode::Float ? "float" : "dyadic");
  for (const Layer& layer : kLayers) {
    const int64_t out = (layer.size - 1) / layer.stride + 1;
    const double operations = static_cast<double>(18 * out * out * layer.channels);
    const auto bytes = static_cast<double>((layer.size * layer.size + out * out) * layer.channels);
    const double time = time_layer(kernel, layer, mode);
    fmt::print("  {:3} x {:3} x {:3} / {}  x{}  {:8.1f} us  {:6.1f} GOP/s  {:6.1f} GB/s\n", layer.size, layer.size,
               layer.channels, layer.stride, layer.count, time * 1e6, operations / time * 1e-9, bytes / time * 1e-9);
    total += time * static_cast<double>(layer.count);
    total_operations += operations * static_cast<double>(layer.count);
  }
  fmt::print("  all of them             {:8.1f} us  {:6.1f} GOP/s\n", total * 1e6, total_operations / total * 1e-9);
}

}  // namespace
}  // namespace halftone::kernels

int main(int argc, char** argv) {
  using namespace halftone;
  std::vector<std::string> names(argv + 1, argv + argc);
  const auto mode = std::erase(names, "dyadic") != 0 ? RequantizeMode::Dyadic : RequantizeMode::Float;
  for (const auto& kernel : kernels::depthwise_kernels()) {
    const bool wanted = names.empty() || std::find(names.begin(), names.end(), kernel.name) != names.end();
    if (wanted && has_isa(kernel.isa)) kernels::bench(kernel, mode);
  }
}

// Times a model on request, so that benchmarks/peers/latency.py can take turns with other runtimes.
//
//   halftone_latency MODEL THREADS [BATCH]
//
// Prints "ready LOAD_MS" (import, lowering and the first run), then obeys lines on standard input:
//   run N           prints the milliseconds of N runs
//   output IN OUT   runs raw floats from IN (all inputs, one after the other), writes the first output's floats to OUT
//   profile N       prints microseconds per step on one thread, the least of N runs
//   peak            prints the peak resident memory of the process in MiB
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include "halftone/base/file.h"
#include "halftone/base/process.h"
#include "halftone/onnx/onnx.h"
#include "halftone/runtime/freeze.h"
#include "halftone/runtime/lowering.h"
#include "halftone/runtime/session.h"

namespace {

using namespace halftone;

double since_ms(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

Shape with_batch(const TensorType& type, int64_t batch) {
  Shape shape;
  for (const Dim& dim : *type.shape) shape.push_back(dim.known() ? dim.value : batch);
  return shape;
}

TensorMap make_inputs(const Session& session, int64_t batch, std::istream* source) {
  TensorMap inputs;
  for (const Session::Port& port : session.inputs()) {
    Tensor tensor(DType::Float, with_batch(port.type, batch));
    const std::span<float> elements = tensor.mutable_data<float>();
    for (size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<float>(i * 7 % 251) / 251.0f;
    if (source != nullptr) {
      source->read(reinterpret_cast<char*>(elements.data()), static_cast<std::streamsize>(elements.size_bytes()));
    }
    inputs.emplace(port.name, std::move(tensor));
  }
  return inputs;
}

void profile(const Graph& graph, const TensorMap& inputs, int threads, int rounds) {
  const QuantizedModel model = runtime::freeze({graph, {}, {}}, {});
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : inputs) shapes.emplace(name, tensor.shape());
  const auto program = runtime::lower(model, shapes, {}, threads);
  std::vector<const Tensor*> tensors;
  for (const std::string& name : program->inputs) tensors.push_back(&inputs.at(name));
  runtime::Execution execution(program);
  const std::vector<double> times = execution.profile(tensors, rounds);
  double total = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    total += times[i];
    std::cout << fmt::format("{:9.2f} us  {:2} parts  {}\n", times[i], program->parts[i], program->steps[i].name);
  }
  std::cout << fmt::format("{:9.2f} us  total, arena {} KiB", total, program->arena_bytes / 1024) << std::endl;
}

int serve(const std::string& path, int threads, int64_t batch) {
  const auto begin = std::chrono::steady_clock::now();
  Graph graph = onnx::import_model(path);
  const Session session(graph, {threads, nullptr, {}});
  const TensorMap inputs = make_inputs(session, batch, nullptr);
  static_cast<void>(session.run(inputs));
  std::cout << "ready " << since_ms(begin) << std::endl;
  graph = Graph();

  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command, from, to;
    int count = 0;
    words >> command;
    if (command == "run" && words >> count) {
      for (int i = 0; i < count; ++i) {
        const auto start = std::chrono::steady_clock::now();
        static_cast<void>(session.run(inputs));
        std::cout << since_ms(start) << ' ';
      }
      std::cout << std::endl;
    } else if (command == "output" && words >> from >> to) {
      std::ifstream source(from, std::ios::binary);
      const TensorMap outputs = session.run(make_inputs(session, batch, &source));
      const auto bytes = outputs.at(session.outputs().front().name).bytes();
      write_file(to, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      std::cout << "done" << std::endl;
    } else if (command == "profile" && words >> count) {
      profile(onnx::import_model(path), inputs, threads, count);
    } else if (command == "peak") {
      std::cout << peak_rss_mib() << std::endl;
    } else {
      std::cout << "unknown command" << std::endl;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: halftone_latency MODEL THREADS [BATCH]\n";
    return 2;
  }
  try {
    return serve(argv[1], std::atoi(argv[2]), argc > 3 ? std::atoi(argv[3]) : 1);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}

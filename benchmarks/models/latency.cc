// Times a model on request, so that benchmarks/peers/latency.py can take turns with other runtimes.
//
//   halftone_latency MODEL THREADS [BATCH]
//
// Prints "ready LOAD_MS" (import, lowering and the first run), then obeys lines on standard input:
//   run N           prints the milliseconds of N runs
//   output IN OUT   runs raw floats from IN (all inputs, one after the other), writes the first output's floats to OUT
//   peak            prints the peak resident memory of the process in MiB
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include "halftone/base/file.h"
#include "halftone/base/process.h"
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

int serve(const std::string& path, int threads, int64_t batch) {
  const auto begin = std::chrono::steady_clock::now();
  SessionOptions options;
  options.threads = threads;
  const Session session = Session::load(path, options);
  const TensorMap inputs = make_inputs(session, batch, nullptr);
  static_cast<void>(session.run(inputs));
  const double ready_ms = since_ms(begin);
  std::vector<TensorView> views;
  Session::InputShapes shapes;
  for (const Session::Port& port : session.inputs()) {
    views.push_back(view_of(inputs.at(port.name)));
    shapes.emplace(port.name, inputs.at(port.name).shape());
  }
  std::vector<Tensor> results;
  for (const std::optional<Shape>& shape : session.prepare(shapes)) results.emplace_back(DType::Float, shape.value());
  std::vector<TensorBuffer> buffers;
  for (Tensor& result : results) buffers.push_back(buffer_of(result.mutable_data<float>()));
  std::cout << "ready " << ready_ms << std::endl;

  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command, from, to;
    int count = 0;
    words >> command;
    if (command == "run" && words >> count) {
      for (int i = 0; i < count; ++i) {
        const auto start = std::chrono::steady_clock::now();
        session.run(views, buffers);
        std::cout << since_ms(start) << ' ';
      }
      std::cout << std::endl;
    } else if (command == "output" && words >> from >> to) {
      std::ifstream source(from, std::ios::binary);
      const TensorMap outputs = session.run(make_inputs(session, batch, &source));
      const auto bytes = outputs.at(session.outputs().front().name).bytes();
      write_file(to, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      std::cout << "done" << std::endl;
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

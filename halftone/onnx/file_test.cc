// Models as files: external data, sizes beyond protobuf's, and files that are whole or not there.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "halftone/base/file.h"
#include "halftone/onnx/internal/proto.h"
#include "halftone/onnx/onnx.h"
#include "tests/support/onnx_text.h"
#include "tests/support/temp_folder.h"

namespace halftone::onnx::file_test {
namespace {

namespace fs = std::filesystem;

const std::string kInOut =
    "input { " + test::float_type("x", {"4"}) + " } output { " + test::float_type("y", {"4"}) + " }";

Graph graph_with(const std::vector<std::pair<std::string, Tensor>>& constants) {
  Graph graph = import_model(test::as_span(
      test::model_from_text(kInOut + " node { input: 'x' output: 'y' op_type: 'Relu' }").SerializeAsString()));
  for (const auto& [name, tensor] : constants) graph.add_constant(name, tensor);
  return graph;
}

Tensor counting(int64_t size, int32_t from) {
  std::vector<int32_t> elements(static_cast<size_t>(size));
  for (size_t i = 0; i < elements.size(); ++i) elements[i] = from + static_cast<int32_t>(i);
  return Tensor::from({size}, elements);
}

uint64_t allocated_bytes(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_blocks) * 512 : 0;
}

class FileTest : public testing::Test {
 protected:
  test::TempFolder folder_;
};

TEST_F(FileTest, SmallModelsKeepTheirWeightsInside) {
  const Graph graph = graph_with({{"w", counting(1000, 7)}});
  export_model(graph, folder_ / "m.onnx");
  EXPECT_FALSE(fs::exists(folder_ / "m.onnx.data"));
  EXPECT_EQ(read_file(folder_ / "m.onnx"), serialize_model(graph));
}

TEST_F(FileTest, LargeWeightsGoBesideTheModelAlignedToPages) {
  const Tensor strings = Tensor::from_strings({1}, {std::string(2000, 's')});
  const Graph graph =
      graph_with({{"a", counting(1025, 1)}, {"small", counting(10, 2)}, {"b", counting(3000, 3)}, {"s", strings}});
  export_model(graph, folder_ / "m.onnx", {.external_data_threshold_bytes = 10000});
  const auto model = test::from_bytes<pb::ModelProto>(read_file(folder_ / "m.onnx"));
  EXPECT_EQ(model.graph().initializer(0).data_location(), pb::TensorProto::EXTERNAL);
  EXPECT_TRUE(model.graph().initializer(1).has_raw_data());
  EXPECT_EQ(model.graph().initializer(2).external_data(0).value(), "m.onnx.data");
  EXPECT_EQ(model.graph().initializer(2).external_data(1).value(), "8192");
  EXPECT_EQ(model.graph().initializer(2).external_data(2).value(), "12000");
  EXPECT_EQ(model.graph().initializer(3).string_data_size(), 1);
  EXPECT_EQ(fs::file_size(folder_ / "m.onnx.data"), 8192U + 12000U);

  const Graph again = import_model(folder_ / "m.onnx");
  for (const char* name : {"a", "small", "b", "s"}) {
    EXPECT_TRUE(again.value(again.find(name)).constant->same_as(*graph.value(graph.find(name)).constant)) << name;
  }
  // Inside again, it is the model that it was.
  EXPECT_EQ(serialize_model(again), serialize_model(graph));
}

// The weights stream from the very file that is being replaced.
TEST_F(FileTest, AModelCanBeWrittenOverItself) {
  const ExportOptions external{.external_data_threshold_bytes = 0};
  export_model(graph_with({{"a", counting(5000, 1)}, {"b", counting(5000, 9)}}), folder_ / "m.onnx", external);
  Graph graph = import_model(folder_ / "m.onnx");
  graph.value(graph.find("a")).constant = counting(2000, 5);
  export_model(graph, folder_ / "m.onnx", external);
  const Graph again = import_model(folder_ / "m.onnx");
  EXPECT_TRUE(again.value(again.find("a")).constant->same_as(counting(2000, 5)));
  EXPECT_TRUE(again.value(again.find("b")).constant->same_as(counting(5000, 9)));
}

// At no moment does a model stand beside data of another one; leftovers of a machine that stopped in between go.
TEST_F(FileTest, DataOfTwoModelsHaveTwoNames) {
  const ExportOptions external{.external_data_threshold_bytes = 0};
  const auto data = [&] {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().filename() != "m.onnx") names.push_back(entry.path().filename());
    }
    return names;
  };
  export_model(graph_with({{"a", counting(5000, 1)}}), folder_ / "m.onnx", external);
  EXPECT_EQ(data(), std::vector<std::string>{"m.onnx.data"});
  export_model(graph_with({{"a", counting(5000, 2)}}), folder_ / "m.onnx", external);
  EXPECT_EQ(data(), std::vector<std::string>{"m.onnx.data.1"});
  // As if the next export had stopped before its model was there: the old one is whole.
  write_file(folder_ / "m.onnx.data", "new data");
  const Graph old = import_model(folder_ / "m.onnx");
  EXPECT_TRUE(old.value(old.find("a")).constant->same_as(counting(5000, 2)));
  export_model(graph_with({{"a", counting(5000, 3)}}), folder_ / "m.onnx", external);
  EXPECT_EQ(data(), std::vector<std::string>{"m.onnx.data.2"});
  const Graph last = import_model(folder_ / "m.onnx");
  EXPECT_TRUE(last.value(last.find("a")).constant->same_as(counting(5000, 3)));
}

TEST_F(FileTest, EmbedsExternalDataOfWhatItOnlyCarries) {
  write_file(folder_ / "w.data", "abcdefgh");
  const std::string external = "data_location: EXTERNAL external_data { key: 'location' value: 'w.data' }";
  write_file(
      folder_ / "m.onnx",
      test::model_from_text(kInOut +
                            " node { input: 'x' output: 'y' op_type: 'Foo'"
                            "   attribute { name: 'body' type: GRAPH g { name: 'b' initializer { name: 'i' dims: 2"
                            "     data_type: 1 " +
                            external +
                            " } } }"
                            "   attribute { name: 't' type: TENSOR t { dims: 1 data_type: 1 " +
                            external +
                            " } } }"
                            " sparse_initializer { dims: 4 values { name: 'w' dims: 1 data_type: 1 " +
                            external +
                            " }"
                            "   indices { dims: 1 data_type: 7 raw_data: 'abcdefgh' } }")
          .SerializeAsString());
  const auto graph = test::from_bytes<pb::ModelProto>(serialize_model(import_model(folder_ / "m.onnx"))).graph();
  EXPECT_EQ(graph.node(0).attribute(0).g().initializer(0).raw_data(), "abcdefgh");
  EXPECT_EQ(graph.node(0).attribute(1).t().raw_data(), "abcd");
  EXPECT_EQ(graph.sparse_initializer(0).values().raw_data(), "abcd");
  EXPECT_FALSE(graph.sparse_initializer(0).values().has_data_location());
}

TEST_F(FileTest, ExportIsWholeOrNotAtAll) {
  EXPECT_THROW(export_model(graph_with({}), folder_ / "absent/m.onnx"), Error);
  fs::create_directory(folder_ / "folder.onnx");
  EXPECT_THROW(export_model(graph_with({}), folder_ / "folder.onnx"), Error);
  // A model that can't be written leaves the one that is there.
  write_file(folder_ / "m.onnx", "before");
  Graph graph = graph_with({});
  graph.value(graph.find("x")).carried = "no message";
  EXPECT_THROW(export_model(graph, folder_ / "m.onnx"), InternalError);
  EXPECT_EQ(read_file(folder_ / "m.onnx"), "before");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator{}), 2);
}

// 3 GiB of weights in a sparse file: five tensors, a few nonzero bytes in each.
class HugeModelTest : public FileTest {
 protected:
  static constexpr uint64_t kTensorBytes = uint64_t{640} << 20;
  static constexpr int kTensors = 5;

  HugeModelTest() {
    std::string graph = kInOut + " node { input: 'x' output: 'y' op_type: 'Relu' }";
    for (int i = 0; i < kTensors; ++i) {
      graph += fmt::format(
          " initializer {{ name: 'w{}' dims: [1024, {}] data_type: 1 data_location: EXTERNAL"
          " external_data {{ key: 'location' value: 'huge.weights' }} external_data {{ key: 'offset' value: '{}' }} }}",
          i, kTensorBytes / 4096, kTensorBytes * static_cast<uint64_t>(i));
    }
    write_file(folder_ / "huge.onnx", test::model_from_text(graph).SerializeAsString());
    AtomicFile weights(folder_ / "huge.weights");
    for (uint64_t i = 0; i < kTensors; ++i) {
      weights.seek(kTensorBytes * i + 1000000 * i);
      weights.write(fmt::format("tensor {}", i));
    }
    weights.seek(kTensorBytes * kTensors - 1);
    weights.write("!");
    weights.commit();
  }

  static std::string text_at(const Graph& graph, const std::string& name, size_t offset, size_t size) {
    const auto bytes = graph.value(graph.find(name)).constant->bytes().subspan(offset, size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

size_t resident_bytes() {
  size_t total = 0, resident = 0;
  const std::string statm = [] {
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    char line[128] = {};
    if (file != nullptr) {
      if (std::fgets(line, sizeof line, file) == nullptr) line[0] = '\0';
      std::fclose(file);
    }
    return std::string(line);
  }();
  std::sscanf(statm.c_str(), "%zu %zu", &total, &resident);
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(HugeModelTest, ImportsWithoutReadingAndExportsWithoutFillingDisk) {
  const size_t memory_before = resident_bytes();
  const auto start = std::chrono::steady_clock::now();
  const Graph graph = import_model(folder_ / "huge.onnx");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 1.0);
  EXPECT_LT(resident_bytes() - memory_before, size_t{64} << 20);
  EXPECT_EQ(text_at(graph, "w3", 3000000, 8), "tensor 3");

  EXPECT_THROW(serialize_model(graph), Error);
  export_model(graph, folder_ / "copy.onnx");
  EXPECT_EQ(fs::file_size(folder_ / "copy.onnx.data"), kTensorBytes * kTensors);
  if (allocated_bytes(folder_ / "huge.weights") < (1U << 20)) {  // where the file system has sparse files
    EXPECT_LT(allocated_bytes(folder_ / "copy.onnx.data"), 4U << 20);
  }
  const Graph copy = import_model(folder_ / "copy.onnx");
  for (size_t i = 0; i < kTensors; ++i) {
    EXPECT_EQ(text_at(copy, fmt::format("w{}", i), 1000000 * i, 8), fmt::format("tensor {}", i));
  }
  EXPECT_EQ(text_at(copy, "w4", kTensorBytes - 2, 2), std::string("\0!", 2));
}

}  // namespace
}  // namespace halftone::onnx::file_test

#include "halftone/c/halftone.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "halftone/onnx/onnx.h"
#include "halftone/runtime/session.h"
#include "halftone/transform/insert_qdq.h"
#include "tests/support/quantized_net.h"
#include "tests/support/temp_folder.h"

namespace halftone::halftone_test {
namespace {

// x[N, 4] on an int8 grid times w[4, 3], as a file.
QuantizedModel model() {
  test::NetBuilder net;
  Rng rng(1);
  const ValueId x = net.input("x", {1, 4}, test::int8_grid(0.25F, 3));
  net.model.graph.value(x).type.shape->front() = Dim("N");
  const ValueId w = net.constant("w", {4, 3}, test::random_floats(rng, 12, -1, 1), test::weight_grid({0.01F}, -1));
  net.output(net.node("MatMul", {x, w}, "y"));
  net.model.graph.metadata["halftone.preprocess"] = "{}";
  return net.model;
}
std::string file() { return onnx::serialize_model(insert_qdq(model())); }

struct Handle {
  halftone_session* session = nullptr;
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { halftone_session_release(session); }
};

class CApi : public testing::Test {
 protected:
  void SetUp() override {
    const std::string bytes = file();
    ASSERT_EQ(halftone_session_load_memory(bytes.data(), bytes.size(), nullptr, &handle.session), HALFTONE_OK)
        << halftone_last_error();
  }
  Handle handle;
  std::array<int64_t, 2> dims = {2, 4};
  std::array<float, 8> x = {1, 2, -3, 4, 0.5F, -0.25F, 0, 7};
  std::array<float, 6> y = {};
  halftone_tensor input = {HALFTONE_FLOAT32, 2, dims.data(), x.data(), sizeof x};
  halftone_buffer output = {HALFTONE_FLOAT32, y.data(), sizeof y};
};

TEST_F(CApi, RunsLikeTheSession) {
  const TensorMap expected = Session(model()).run({{"x", Tensor::from({2, 4}, std::vector(x.begin(), x.end()))}});
  ASSERT_EQ(halftone_session_run(handle.session, &input, 1, &output, 1), HALFTONE_OK) << halftone_last_error();
  EXPECT_EQ(std::vector(y.begin(), y.end()), to_vector<float>(expected.at("y")));
  // Multiples of 0.25 are on the grid: codes give the same.
  std::array<int8_t, 8> codes{};
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<int8_t>(std::lround(x[i] / 0.25F) + 3);
  const halftone_tensor coded = {HALFTONE_INT8, 2, dims.data(), codes.data(), sizeof codes};
  const std::array<float, 6> from_floats = y;
  y.fill(0);
  ASSERT_EQ(halftone_session_run(handle.session, &coded, 1, &output, 1), HALFTONE_OK) << halftone_last_error();
  EXPECT_EQ(y, from_floats);
}

TEST_F(CApi, DescribesPorts) {
  EXPECT_EQ(halftone_session_input_count(handle.session), 1U);
  EXPECT_EQ(halftone_session_output_count(handle.session), 1U);
  const halftone_port* port = halftone_session_input(handle.session, 0);
  ASSERT_NE(port, nullptr);
  EXPECT_STREQ(port->name, "x");
  EXPECT_EQ(port->dtype, HALFTONE_FLOAT32);
  ASSERT_EQ(port->rank, 2);
  EXPECT_EQ(port->dims[0], -1);
  EXPECT_EQ(port->dims[1], 4);
  EXPECT_EQ(port->code_dtype, HALFTONE_INT8);
  EXPECT_EQ(port->scale, 0.25F);
  EXPECT_EQ(port->zero_point, 3);
  EXPECT_EQ(port->code_min, -128);
  EXPECT_EQ(port->code_max, 127);
  EXPECT_EQ(halftone_session_output(handle.session, 0)->code_dtype, HALFTONE_UNDEFINED);
  EXPECT_EQ(halftone_session_input(handle.session, 1), nullptr);
  EXPECT_STREQ(halftone_session_metadata(handle.session, "halftone.preprocess"), "{}");
  EXPECT_EQ(halftone_session_metadata(handle.session, "nothing"), nullptr);
}

TEST_F(CApi, PrepareTellsTheShapeOfAnOutput) {
  std::array<int64_t, 4> shape{};
  int32_t rank = 4;
  const halftone_tensor shape_only = {HALFTONE_FLOAT32, 2, dims.data(), nullptr, 0};
  ASSERT_EQ(halftone_session_prepare(handle.session, &shape_only, 1, 0, shape.data(), &rank), HALFTONE_OK)
      << halftone_last_error();
  EXPECT_EQ(rank, 2);
  EXPECT_EQ(shape, (std::array<int64_t, 4>{2, 3, 0, 0}));
  rank = 1;
  EXPECT_EQ(halftone_session_prepare(handle.session, &shape_only, 1, 0, shape.data(), &rank),
            HALFTONE_INVALID_ARGUMENT);
  EXPECT_EQ(rank, 1);
  rank = 4;
  EXPECT_EQ(halftone_session_prepare(handle.session, &shape_only, 1, 1, shape.data(), &rank),
            HALFTONE_INVALID_ARGUMENT);
  // The batch is the caller's to choose.
  EXPECT_EQ(halftone_session_prepare(handle.session, nullptr, 0, 0, shape.data(), &rank), HALFTONE_INVALID_ARGUMENT);
}

TEST_F(CApi, MistakesHaveAStatusAndALine) {
  halftone_tensor wrong = input;
  wrong.dtype = HALFTONE_UINT8;
  EXPECT_EQ(halftone_session_run(handle.session, &wrong, 1, &output, 1), HALFTONE_INVALID_ARGUMENT);
  EXPECT_STREQ(halftone_last_error(), "run: input 'x' must be float[N, 4] or codes of type int8, found uint8[2, 4]");
  wrong = input;
  wrong.dims = nullptr;
  EXPECT_EQ(halftone_session_run(handle.session, &wrong, 1, &output, 1), HALFTONE_INVALID_ARGUMENT);
  wrong = input;
  wrong.rank = 1 << 30;
  EXPECT_EQ(halftone_session_run(handle.session, &wrong, 1, &output, 1), HALFTONE_INVALID_ARGUMENT);
  halftone_buffer small = output;
  small.bytes = 4;
  EXPECT_EQ(halftone_session_run(handle.session, &input, 1, &small, 1), HALFTONE_INVALID_ARGUMENT);
  EXPECT_STREQ(halftone_last_error(), "run: output 'y' takes 24 bytes, found a buffer of 4");
  EXPECT_EQ(halftone_session_run(handle.session, nullptr, 1, &output, 1), HALFTONE_INVALID_ARGUMENT);
  EXPECT_EQ(halftone_session_run(nullptr, &input, 1, &output, 1), HALFTONE_INVALID_ARGUMENT);
  EXPECT_STREQ(halftone_last_error(), "session: must not be null");

  // What fails leaves the result alone, and speaks to its own thread.
  auto* const untouched = reinterpret_cast<halftone_session*>(&wrong);
  halftone_session* session = untouched;
  std::thread([&] {
    EXPECT_STREQ(halftone_last_error(), "");
    EXPECT_EQ(halftone_session_load("nowhere.onnx", nullptr, &session), HALFTONE_IO);
    EXPECT_NE(std::string(halftone_last_error()).find("nowhere.onnx"), std::string::npos);
  }).join();
  EXPECT_EQ(session, untouched);
  EXPECT_STREQ(halftone_last_error(), "session: must not be null");
  EXPECT_EQ(halftone_session_load_memory("junk", 4, nullptr, &session), HALFTONE_INVALID_MODEL);
  EXPECT_EQ(halftone_session_load(nullptr, nullptr, &session), HALFTONE_INVALID_ARGUMENT);
  EXPECT_EQ(halftone_session_load("nowhere.onnx", nullptr, nullptr), HALFTONE_INVALID_ARGUMENT);
  halftone_options options = HALFTONE_OPTIONS_INIT;
  options.size = 1;
  EXPECT_EQ(halftone_session_load("nowhere.onnx", &options, &session), HALFTONE_INVALID_ARGUMENT);
  options = HALFTONE_OPTIONS_INIT;
  options.threads = -1;
  EXPECT_EQ(halftone_session_load("nowhere.onnx", &options, &session), HALFTONE_INVALID_ARGUMENT);
}

TEST_F(CApi, HandlesShareASessionAndATeam) {
  halftone_team* team = nullptr;
  EXPECT_EQ(halftone_team_create(-1, &team), HALFTONE_INVALID_ARGUMENT);
  ASSERT_EQ(halftone_team_create(2, &team), HALFTONE_OK);
  Handle same, teamed, loaded;
  ASSERT_EQ(halftone_session_share(handle.session, nullptr, &same.session), HALFTONE_OK);
  ASSERT_EQ(halftone_session_share(handle.session, team, &teamed.session), HALFTONE_OK);
  halftone_options options = HALFTONE_OPTIONS_INIT;
  options.team = team;
  options.requantize = HALFTONE_REQUANTIZE_DYADIC;
  const test::TempFolder folder;
  const auto path = folder.path() / "model.onnx";
  onnx::export_model(insert_qdq(model()), path);
  ASSERT_EQ(halftone_session_load(path.c_str(), &options, &loaded.session), HALFTONE_OK) << halftone_last_error();
  halftone_team_release(team);
  ASSERT_EQ(halftone_session_run(handle.session, &input, 1, &output, 1), HALFTONE_OK);
  const std::array<float, 6> expected = y;
  halftone_session_release(std::exchange(handle.session, nullptr));
  for (const halftone_session* session : {same.session, teamed.session, loaded.session}) {
    y.fill(0);
    ASSERT_EQ(halftone_session_run(session, &input, 1, &output, 1), HALFTONE_OK) << halftone_last_error();
    EXPECT_EQ(y, expected);
  }
}

TEST(CApiStatus, HasNamesAndAVersion) {
  EXPECT_STREQ(halftone_status_name(HALFTONE_OK), "ok");
  EXPECT_STREQ(halftone_status_name(HALFTONE_NUMERIC_RANGE), "numeric range");
  EXPECT_STREQ(halftone_status_name(99), "unknown status");
  EXPECT_NE(std::string(halftone_version()).find("."), std::string::npos);
}

}  // namespace
}  // namespace halftone::halftone_test

// export(import(model)) is the same message as the model, field by field, for every model at hand.
#include <gtest/gtest.h>

#include "halftone/base/file.h"
#include "halftone/onnx/onnx.h"
#include "tests/roundtrip/canonical.h"
#include "tests/support/onnx_text.h"
#include "tests/support/testdata.h"

namespace halftone {
namespace {

::onnx::ModelProto parse(const std::string& bytes) { return test::from_bytes<::onnx::ModelProto>(bytes); }

void expect_same_message(const std::filesystem::path& path) {
  SCOPED_TRACE(path.string());
  ::onnx::ModelProto expected = parse(read_file(path));
  test::canonicalize(expected);
  const std::string exported = onnx::serialize_model(onnx::import_model(path));
  test::expect_same(expected, parse(exported));
  // What is written is also a fixed point: reading it again changes nothing at all.
  EXPECT_EQ(onnx::serialize_model(onnx::import_model(test::as_span(exported))), exported);
}

TEST(RoundTrip, EveryModelOfOnnxTestData) {
  const auto models = test::models_below(test::onnx_test_models());
  if (models.empty()) GTEST_SKIP() << "needs the package libonnx-testdata";
  EXPECT_GE(models.size(), 1000U);
  for (const auto& path : models) expect_same_message(path);
}

TEST(RoundTrip, EverySharedModel) {
  const auto models = test::models_below(test::shared_folder() / "models");
  if (models.empty()) GTEST_SKIP() << "needs the shared models; set HALFTONE_SHARED";
  for (const auto& path : models) expect_same_message(path);
}

// Protobuf writes fields in a fixed order and so does export, so that models written by protobuf come back bit for bit.
TEST(RoundTrip, SharedModelsBitForBit) {
  const auto models = test::models_below(test::shared_folder() / "models");
  if (models.empty()) GTEST_SKIP() << "needs the shared models; set HALFTONE_SHARED";
  for (const auto& path : models) {
    ::onnx::ModelProto canonical = parse(read_file(path));
    test::canonicalize(canonical);
    EXPECT_TRUE(onnx::serialize_model(onnx::import_model(path)) == canonical.SerializeAsString()) << path;
  }
}

}  // namespace
}  // namespace halftone

#include "halftone/onnx/internal/external_data.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/onnx_text.h"
#include "tests/support/temp_folder.h"

namespace halftone::onnx::external_data_test {
namespace {

namespace fs = std::filesystem;

pb::TensorProto reference(const std::string& location, const std::string& offset = "", const std::string& length = "") {
  std::string text = "data_location: EXTERNAL external_data { key: 'location' value: '" + location + "' }";
  if (!offset.empty()) text += " external_data { key: 'offset' value: '" + offset + "' }";
  if (!length.empty()) text += " external_data { key: 'length' value: '" + length + "' }";
  return test::from_text<pb::TensorProto>(text);
}

class ExternalDataTest : public testing::Test {
 protected:
  ExternalDataTest() {
    fs::create_directories(folder_ / "model/sub");
    write_file(folder_ / "model/w.data", "0123456789abcdef");
    write_file(folder_ / "model/sub/w.data", "ABCD");
    write_file(folder_ / "secret", "secret content!!");
  }

  Tensor read(const pb::TensorProto& proto, DType dtype = DType::Float, const Shape& shape = {2}) {
    return data_.read(proto, dtype, shape, "initializer 'w'");
  }
  std::string refusal(const pb::TensorProto& proto, DType dtype = DType::Float, const Shape& shape = {2}) {
    try {
      read(proto, dtype, shape);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
  static std::string text(const Tensor& tensor) {
    return {reinterpret_cast<const char*>(tensor.bytes().data()), tensor.bytes().size()};
  }

  test::TempFolder folder_;
  ExternalData data_{folder_ / "model"};
};

TEST_F(ExternalDataTest, ReadsWhereItSays) {
  EXPECT_EQ(text(read(reference("w.data"))), "01234567");
  EXPECT_EQ(text(read(reference("w.data", "4"))), "456789ab");
  EXPECT_EQ(text(read(reference("w.data", "8", "8"))), "89abcdef");
  EXPECT_EQ(text(read(reference("sub/w.data", "0", "4"), DType::Float, {1})), "ABCD");
  EXPECT_EQ(read(reference("w.data", "16"), DType::Float, {0}).size(), 0);
  // Of a type whose size nobody knows, `length` or the rest of the file.
  EXPECT_EQ(text(read(reference("w.data", "3", "2"), DType{99}, {7})), "34");
  EXPECT_EQ(text(read(reference("w.data", "13"), DType{99}, {7})), "def");
}

TEST_F(ExternalDataTest, TensorsShareOneMappingThatOutlivesTheReader) {
  Tensor first, second;
  {
    ExternalData data(folder_ / "model");
    first = data.read(reference("w.data"), DType::Int8, {4}, "a");
    second = data.read(reference("w.data", "4"), DType::Int8, {4}, "b");
  }
  EXPECT_EQ(first.bytes().data() + 4, second.bytes().data());
  fs::remove(folder_ / "model/w.data");
  EXPECT_EQ(text(second), "4567");
}

TEST_F(ExternalDataTest, RefusesPathsThatLeaveTheFolder) {
  const std::string must = "initializer 'w': external data must lie in the model's folder";
  EXPECT_EQ(refusal(reference("../secret")).find(must), 0U);
  EXPECT_EQ(refusal(reference("sub/../../secret")).find(must), 0U);
  EXPECT_EQ(refusal(reference("sub/../w.data")).find(must), 0U);
  EXPECT_EQ(refusal(reference((folder_ / "secret").string())).find(must), 0U);
  EXPECT_EQ(refusal(reference("/etc/passwd")).find(must), 0U);
  fs::create_symlink(folder_ / "secret", folder_ / "model/link");
  EXPECT_EQ(refusal(reference("link")).find(must), 0U);
  fs::create_directory_symlink(folder_.path(), folder_ / "model/up");
  EXPECT_EQ(refusal(reference("up/secret")).find(must), 0U);
  // A neighbour whose name begins like the folder's.
  fs::create_directory(folder_ / "model2");
  write_file(folder_ / "model2/w.data", "01234567");
  fs::create_symlink(folder_ / "model2/w.data", folder_ / "model/link2");
  EXPECT_EQ(refusal(reference("link2")).find(must), 0U);
}

TEST_F(ExternalDataTest, FollowsLinksThatStay) {
  fs::create_symlink("w.data", folder_ / "model/link");
  EXPECT_EQ(text(read(reference("link"))), "01234567");
}

TEST_F(ExternalDataTest, RefusesRangesOutsideTheFile) {
  EXPECT_NE(refusal(reference("w.data", "12"))
                .find("8 bytes of external data at offset 12 must lie in its file, but "
                      "'w.data' has 16"),
            std::string::npos);
  EXPECT_NE(refusal(reference("w.data", "17")).find("at offset 17"), std::string::npos);
  EXPECT_NE(refusal(reference("w.data", "18446744073709551615")).find("must lie in its file"), std::string::npos);
  EXPECT_NE(refusal(reference("w.data", "0", "4")).find("requires 8 bytes, but its external data has length 4"),
            std::string::npos);
}

TEST_F(ExternalDataTest, RefusesNonsense) {
  EXPECT_NE(refusal(reference("w.data", "-4")).find("must be a number of bytes, found '-4'"), std::string::npos);
  EXPECT_NE(refusal(reference("w.data", "4x")).find("must be a number of bytes"), std::string::npos);
  EXPECT_NE(refusal(reference("w.data", "99999999999999999999")).find("must be a number of bytes"), std::string::npos);
  EXPECT_NE(refusal(reference("")).find("must name its file"), std::string::npos);
  EXPECT_NE(refusal(reference("absent")).find("must be a file, found nothing"), std::string::npos);
  EXPECT_NE(refusal(reference("sub")).find("must be a file, found something else"), std::string::npos);
  EXPECT_NE(refusal(reference("."), DType::Float, {1}).find("must be a file"), std::string::npos);
  ASSERT_EQ(::mkfifo((folder_ / "model/pipe").c_str(), 0600), 0);
  EXPECT_NE(refusal(reference("pipe")).find("must be a file"), std::string::npos);
  EXPECT_NE(refusal(reference("w.data"), DType::String, {1}).find("strings can't"), std::string::npos);
}

TEST(ExternalData, IsRefusedWithoutFolder) {
  ExternalData data{{}};
  EXPECT_THROW(data.read(reference("w.data"), DType::Float, {1}, "w"), Error);
}

}  // namespace
}  // namespace halftone::onnx::external_data_test

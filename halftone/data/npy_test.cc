#include "halftone/data/npy.h"

#include <cstring>

#include "tests/support/data_files.h"

namespace halftone::data::npy_test {
namespace {

using test::bytes_of;
using test::error_of;
using test::npy_file;

TEST(Npy, ReadsEveryVersionAndType) {
  const test::TempFolder folder;
  for (const int version : {1, 2, 3}) {
    const auto path =
        test::put(folder, "a.npy", npy_file("<f4", false, "(2, 3)", bytes_of<float>({1, 2, 3, 4, 5, 6}), version));
    const Tensor tensor = load_npy(path);
    EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
    EXPECT_EQ(to_vector<float>(tensor), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  }
  const auto expect = [&](const std::string& descr, DType dtype, const std::string& elements) {
    const Tensor tensor = load_npy(test::put(folder, "b.npy", npy_file(descr, false, "(2,)", elements)));
    EXPECT_EQ(tensor.dtype(), dtype) << descr;
    EXPECT_EQ(to_vector<double>(tensor), (std::vector<double>{0, 1})) << descr;
  };
  expect("<f8", DType::Double, bytes_of<double>({0, 1}));
  expect("<f2", DType::Float16, bytes_of<uint16_t>({0, 0x3c00}));
  expect("|i1", DType::Int8, bytes_of<int8_t>({0, 1}));
  expect("|u1", DType::UInt8, bytes_of<uint8_t>({0, 1}));
  expect("|b1", DType::Bool, bytes_of<uint8_t>({0, 1}));
  expect("<i2", DType::Int16, bytes_of<int16_t>({0, 1}));
  expect("<u2", DType::UInt16, bytes_of<uint16_t>({0, 1}));
  expect("<i4", DType::Int32, bytes_of<int32_t>({0, 1}));
  expect("<u4", DType::UInt32, bytes_of<uint32_t>({0, 1}));
  expect("<i8", DType::Int64, bytes_of<int64_t>({0, 1}));
  expect("<u8", DType::UInt64, bytes_of<uint64_t>({0, 1}));
}

TEST(Npy, FortranOrderIsTransposed) {
  const test::TempFolder folder;
  // Element (i, j, k) = 100 i + 10 j + k of shape (2, 3, 2), first index fastest.
  std::vector<int32_t> column_major, row_major;
  for (int k = 0; k < 2; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) column_major.push_back(100 * i + 10 * j + k);
    }
  }
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 2; ++k) row_major.push_back(100 * i + 10 * j + k);
    }
  }
  const auto path = test::put(folder, "a.npy", npy_file("<i4", true, "(2, 3, 2)", bytes_of(column_major)));
  EXPECT_EQ(to_vector<int32_t>(load_npy(path)), row_major);

  const auto dataset = open_dataset(path.string());
  const std::vector<Sample> samples = test::read_all(*dataset);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1].tensors.at("").shape(), (Shape{1, 3, 2}));
  EXPECT_EQ(to_vector<int32_t>(samples[1].tensors.at("")), (std::vector<int32_t>{100, 101, 110, 111, 120, 121}));
}

TEST(Npy, WritesWhatNumpyReads) {
  const test::TempFolder folder;
  const auto path = folder / "out.npy";
  save_npy(path, Tensor::from<float>({2, 1}, std::vector<float>{1.5f, -2}));
  const std::string file = read_file(path);
  EXPECT_EQ(file.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const size_t header = static_cast<uint8_t>(file[8]) + 256 * static_cast<uint8_t>(file[9]);
  EXPECT_EQ((header + 10) % 64, 0u);
  EXPECT_EQ(file[header + 9], '\n');
  EXPECT_CONTAINS(file, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, ), }");
  EXPECT_EQ(file.substr(header + 10), bytes_of<float>({1.5f, -2}));
}

TEST(Npy, WritingAndReadingIsIdentity) {
  const test::TempFolder folder;
  const std::vector<Tensor> tensors = {Tensor::from<int64_t>({3}, std::vector<int64_t>{-1, 0, int64_t{1} << 60}),
                                       Tensor::scalar(2.5), Tensor::from<uint8_t>({0, 4}, std::vector<uint8_t>{}),
                                       Tensor(DType::Bool, {2, 2}), Tensor(DType::Float16, {5})};
  for (const Tensor& tensor : tensors) {
    save_npy(folder / "t.npy", tensor);
    EXPECT_TRUE(load_npy(folder / "t.npy").same_as(tensor)) << name_of(tensor.dtype());
  }
  EXPECT_CONTAINS(error_of([&] { save_npy(folder / "t.npy", Tensor(DType::Int4, {2})); }), "int4");
}

TEST(Npy, RefusesDamage) {
  const test::TempFolder folder;
  const std::string good = npy_file("<f4", false, "(2, 3)", bytes_of<float>({1, 2, 3, 4, 5, 6}));
  const auto message = [&](const std::string& content) {
    const auto path = test::put(folder, "bad.npy", content);
    return error_of([&] { load_npy(path); });
  };
  EXPECT_CONTAINS(message(good.substr(0, good.size() - 1)), "requires 24 bytes of elements, found 23");
  EXPECT_CONTAINS(message(good.substr(0, 40)), "cut short");
  EXPECT_CONTAINS(message(""), "npy file is required");
  EXPECT_CONTAINS(message(npy_file(">f4", false, "(1,)", "abcd")), "found '>f4'");
  EXPECT_CONTAINS(message(npy_file("|O", false, "(1,)", "abcd")), "found '|O'");
  EXPECT_CONTAINS(message(npy_file("<f4", false, "(-1,)", "abcd")), "dimensions >= 0");
  EXPECT_CONTAINS(message(npy_file("<f4", false, "(4611686018427387904, 4)", "abcd")), "overflows");
  EXPECT_CONTAINS(message(npy_file("<f4", false, "(4611686018427387904,)", "abcd")), "overflows");
  EXPECT_CONTAINS(message(npy_file("<f4", false, "(3 4)", "abcd")), "')' is required");
}

TEST(Npy, DatasetCountsDimensionZero) {
  const test::TempFolder folder;
  const auto path = test::put(folder, "x.npy", npy_file("<f4", false, "(3, 2)", bytes_of<float>({1, 2, 3, 4, 5, 6})));
  const auto dataset = open_dataset(path.string());
  EXPECT_EQ(dataset->size(), 3);
  const std::vector<Sample> samples = test::read_all(*dataset);
  EXPECT_EQ(samples[2].tensors.at("").shape(), (Shape{1, 2}));
  EXPECT_EQ(to_vector<float>(samples[2].tensors.at("")), (std::vector<float>{5, 6}));
  EXPECT_FALSE(samples[2].label.has_value());
  const auto scalar = test::put(folder, "s.npy", npy_file("<f4", false, "()", bytes_of<float>({1})));
  EXPECT_CONTAINS(error_of([&] { open_dataset(scalar.string()); }), "scalar");
  const auto empty = test::put(folder, "e.npy", npy_file("<f4", false, "(0, 2)", ""));
  EXPECT_CONTAINS(error_of([&] { open_dataset(empty.string()); }), "at least one item");
}

}  // namespace
}  // namespace halftone::data::npy_test

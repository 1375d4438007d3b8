#include "halftone/base/file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::file_test {
namespace {

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("halftone_file_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  size_t files_in_folder() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  std::filesystem::path folder_;
};

TEST_F(FileTest, CommittedContentReadsBackWholeAndMapped) {
  const auto path = folder_ / "a.bin";
  write_file(path, std::string_view("one\0two", 7));
  EXPECT_EQ(read_file(path), std::string("one\0two", 7));
  const auto mapped = MappedFile::open(path);
  ASSERT_EQ(mapped->bytes().size(), 7u);
  EXPECT_EQ(static_cast<char>(mapped->bytes()[4]), 't');
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, WithoutCommitTheOldContentStays) {
  const auto path = folder_ / "a.bin";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, SeekLeavesZeros) {
  const auto path = folder_ / "a.bin";
  AtomicFile file(path);
  file.write("x");
  file.seek(3);
  file.write("y");
  file.commit();
  EXPECT_EQ(read_file(path), std::string("x\0\0y", 4));
}

TEST_F(FileTest, MissingFilesAndFoldersAreIoErrors) {
  EXPECT_THROW(read_file(folder_ / "none"), Error);
  EXPECT_THROW(MappedFile::open(folder_), Error);
  EXPECT_THROW(AtomicFile(folder_ / "no" / "folder"), Error);
  EXPECT_THROW(AtomicFile{folder_}, Error);
}

TEST_F(FileTest, AFullDiskIsAnIoError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  std::filesystem::create_symlink("/dev/full", folder_ / "full");
  EXPECT_THROW(read_file(folder_ / "full"), Error);  // a device is no model
}

TEST_F(FileTest, AnEmptyFileMapsToNoBytes) {
  std::ofstream(folder_ / "empty");
  EXPECT_TRUE(MappedFile::open(folder_ / "empty")->bytes().empty());
}

TEST_F(FileTest, HolesOfMappedFilesAreSkippedWithoutReading) {
  const auto path = folder_ / "sparse.bin";
  AtomicFile file(path);
  file.write("begin");
  file.seek(size_t{1} << 30);
  file.write("middle");
  file.seek((size_t{2} << 30) - 1);
  file.write(std::string_view("\0", 1));
  file.commit();
  const auto mapped = MappedFile::open(path);
  const auto bytes = mapped->bytes();
  EXPECT_EQ(skip_hole(bytes).data(), bytes.data());
  // File systems store whole blocks, and some store everything; what is skipped must be zeros in any case.
  const auto rest = skip_hole(bytes.subspan(size_t{1} << 20));
  EXPECT_LE(rest.data(), bytes.data() + (size_t{1} << 30));
  EXPECT_EQ(rest.data() + rest.size(), bytes.data() + bytes.size());
  EXPECT_LE(skip_hole(bytes.subspan(100, 50)).size(), 50u);
  forget_pages(bytes);
  EXPECT_EQ(static_cast<char>(bytes[size_t{1} << 30]), 'm');
}

TEST_F(FileTest, NamesOfOneFileAreTheSame) {
  const auto path = folder_ / "a", other = folder_ / "b";
  EXPECT_TRUE(same_file(path, folder_ / "." / "a")) << "before there is one";
  EXPECT_FALSE(same_file(path, other));
  EXPECT_FALSE(same_file(path, ""));
  write_file(path, "x");
  write_file(other, "x");
  EXPECT_FALSE(same_file(path, other));
  std::filesystem::create_symlink("a", folder_ / "link");
  std::filesystem::create_hard_link(path, folder_ / "hard");
  EXPECT_TRUE(same_file(path, folder_ / "link"));
  EXPECT_TRUE(same_file(folder_ / "hard", folder_ / "link"));
}

TEST_F(FileTest, DevicesAreNotReplaced) {
  EXPECT_THROW(write_file("/dev/null", "x"), Error);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(FileTest, OtherMemoryHasNoHoles) {
  const std::vector<std::byte> zeros(100000);
  EXPECT_EQ(skip_hole(zeros).size(), zeros.size());
  std::vector<std::byte> ones(100000, std::byte{1});
  forget_pages(ones);
  EXPECT_EQ(std::count(ones.begin(), ones.end(), std::byte{1}), 100000);
}

}  // namespace
}  // namespace halftone::file_test

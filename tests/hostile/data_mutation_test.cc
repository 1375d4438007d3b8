// Thousands of damaged data files of every kind: each is read or refused with an Error; nothing crashes, hangs or fails
// otherwise.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>

#include "halftone/base/rng.h"
#include "halftone/data/dataset.h"
#include "halftone/data/npy.h"
#include "halftone/data/preprocess.h"
#include "tests/support/data_files.h"

namespace halftone {
namespace {

constexpr uint64_t kMutants = 2000;

// Flipped bits, extreme bytes and words, a lost or doubled piece, a cut end; one to three of them.
std::string damage(const std::string& bytes, Rng& rng) {
  std::string damaged = bytes;
  for (uint64_t times = rng.below(3); damaged.size() > 8; --times) {
    const auto place = [&] { return static_cast<size_t>(rng.below(damaged.size())); };
    switch (rng.below(6)) {
      case 0:
        damaged[place()] ^= static_cast<char>(1 << rng.below(8));
        break;
      case 1:
        damaged[place()] = "\0\xff\x7f\x80 9-"[rng.below(7)];
        break;
      case 2:
        damaged.replace(place(), 4, 4, "\0\xff\x7f"[rng.below(3)]);
        break;
      case 3:
        damaged.erase(place(), 1 + rng.below(20));
        break;
      case 4:
        damaged.insert(place(), damaged.substr(place(), 1 + rng.below(40)));
        break;
      default:
        damaged.resize(place());
    }
    if (times == 0) break;
  }
  return damaged;
}

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// Damage behind right checksums reaches further: every PNG chunk gets the one it should have.
std::string mend_png(std::string bytes) {
  for (size_t at = 8; at + 12 <= bytes.size();) {
    const size_t length = big_endian(bytes, at);
    if (length > bytes.size() - at - 12) break;
    const uLong checksum =
        crc32(0, reinterpret_cast<const Bytef*>(bytes.data()) + at + 4, static_cast<uInt>(length + 4));
    for (size_t i = 0; i < 4; ++i) bytes[at + 8 + length + i] = static_cast<char>(checksum >> (24 - 8 * i));
    at += length + 12;
  }
  return bytes;
}

// The same for the header of a tar's first member: the sum of its bytes with the field itself as blanks.
std::string mend_tar(std::string bytes) {
  if (bytes.size() < 512) return bytes;
  bytes.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<uint8_t>(bytes[i]);
  return bytes.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
}

struct Outcome {
  int read = 0, refused = 0;
};

// Runs `use` on `kMutants` mutants of `seed`. A failure names the mutant's number, which makes it again.
Outcome feed(const std::string& seed, const std::function<void(const std::string&)>& use,
             const std::function<std::string(std::string)>& mend = {}) {
  Outcome outcome;
  use(seed);  // undamaged, it is read
  for (uint64_t i = 0; i < kMutants; ++i) {
    Rng rng(3, i);
    std::string mutant = damage(seed, rng);
    if (mend && i % 2 == 0) mutant = mend(std::move(mutant));
    const auto start = std::chrono::steady_clock::now();
    try {
      use(mutant);
      ++outcome.read;
    } catch (const Error& error) {
      ++outcome.refused;
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << i;
      EXPECT_LT(message.size(), 1000U) << i << ": " << message;
    } catch (const std::exception& error) {
      ADD_FAILURE() << i << ": " << error.what();
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    EXPECT_LT(seconds.count(), 5.0) << i;
  }
  return outcome;
}

class DataMutation : public testing::Test {
 protected:
  // Puts the mutant under that name and reads all it holds (a forged count may promise billions).
  std::function<void(const std::string&)> as_file(const std::string& name, const std::string& open = "") {
    return [this, name, open](const std::string& bytes) {
      std::filesystem::create_directories((folder_ / name).parent_path());
      // File systems hurry a file to the disk that is cut to nothing and written anew.
      std::filesystem::remove(folder_ / name);
      std::ofstream(folder_ / name, std::ios::binary) << bytes;
      const auto dataset = data::open_dataset((folder_ / (open.empty() ? name : open)).string(), {500, {}});
      while (auto record = dataset->next()) record->decode();
    };
  }

  test::TempFolder folder_;
  const std::string png_ = test::encode_png(test::test_image(12, 10));
  const std::string jpeg_ = test::encode_jpeg(test::test_image(24, 20));
};

const std::string kArray = test::npy_file("<f4", false, "(6, 5)", test::bytes_of<float>(std::vector<float>(30, 1.5f)));

TEST_F(DataMutation, Npy) {
  const auto read = as_file("a.npy");
  const Outcome row_major = feed(kArray, [&](const std::string& bytes) {
    read(bytes);
    (void)data::load_npy(folder_ / "a.npy");
  });
  EXPECT_GT(row_major.refused, static_cast<int>(kMutants / 10));
  EXPECT_GT(row_major.read, static_cast<int>(kMutants / 10));
  feed(test::npy_file("<i2", true, "(3, 2, 4)", test::bytes_of<int16_t>(std::vector<int16_t>(24, 7)), 2), read);
}

TEST_F(DataMutation, Npz) {
  for (const auto kind : {test::ArchiveKind::Zip, test::ArchiveKind::StoredZip}) {
    const std::string labels = test::npy_file("|u1", false, "(6,)", "abcdef");
    test::write_archive(folder_ / "seed.npz", {{"x.npy", kArray}, {"labels.npy", labels}}, kind);
    EXPECT_GT(feed(read_file(folder_ / "seed.npz"), as_file("a.npz")).refused, static_cast<int>(kMutants / 4));
  }
}

TEST_F(DataMutation, Idx) {
  std::string images("\0\0\x08\x03\0\0\0\x05\0\0\0\x04\0\0\0\x03", 16);
  images += std::string(60, 'x');
  EXPECT_GT(feed(images, as_file("a-images-idx3-ubyte")).refused, static_cast<int>(kMutants / 10));
  EXPECT_GT(feed(test::gzip(images), as_file("b-images-idx3-ubyte.gz")).refused, static_cast<int>(kMutants / 3));
  std::ofstream(folder_ / "c-images-idx3-ubyte", std::ios::binary) << images;
  const std::string labels("\0\0\x08\x01\0\0\0\x05\1\2\3\4\5", 13);
  EXPECT_GT(feed(labels, as_file("c-labels-idx1-ubyte", "c-images-idx3-ubyte")).refused,
            static_cast<int>(kMutants / 3));
}

TEST_F(DataMutation, Cifar) {
  std::string records;
  for (char label = 0; label < 3; ++label) {
    records.push_back(label);
    records.append(3072, 'p');
  }
  EXPECT_GT(feed(records, as_file("a.bin")).refused, static_cast<int>(kMutants / 4));
}

TEST_F(DataMutation, Tar) {
  const test::Members members = {{"a.png", png_}, {"a.cls", "3"}, {"b.jpg", jpeg_}, {"b.cls", "4"}};
  test::write_archive(folder_ / "seed.tar", members, test::ArchiveKind::Tar);
  test::write_archive(folder_ / "seed.tar.gz", members, test::ArchiveKind::TarGz);
  EXPECT_GT(feed(read_file(folder_ / "seed.tar"), as_file("x/a.tar"), mend_tar).refused,
            static_cast<int>(kMutants / 10));
  EXPECT_GT(feed(read_file(folder_ / "seed.tar.gz"), as_file("x/a.tar.gz")).refused, static_cast<int>(kMutants / 3));
}

TEST_F(DataMutation, Images) {
  const std::string progressive = test::encode_jpeg(test::test_image(24, 20), 80, TJFLAG_PROGRESSIVE);
  const std::string palette = test::encode_png(9, 4, PNG_COLOR_TYPE_PALETTE, 4, std::vector<uint8_t>(18, 0x10),
                                               {{1, 2, 3}, {4, 5, 6}}, PNG_INTERLACE_ADAM7);
  const Outcome jpeg = feed(jpeg_, as_file("jpeg/a.jpg", "jpeg"));
  EXPECT_GT(jpeg.refused, static_cast<int>(kMutants / 4));
  feed(progressive, as_file("progressive/a.jpg", "progressive"));
  EXPECT_GT(feed(png_, as_file("png/a.png", "png"), mend_png).refused, static_cast<int>(kMutants / 3));
  feed(palette, as_file("palette/a.png", "palette"), mend_png);
}

TEST_F(DataMutation, LabelsCsv) {
  test::put(folder_, "set/images/a.png", png_);
  test::put(folder_, "set/b.jpg", jpeg_);
  const Outcome outcome = feed("file,label\na.png,4\nb.jpg,17\n\"a.png\",0\n", as_file("set/labels.csv", "set"));
  EXPECT_GT(outcome.refused, static_cast<int>(kMutants / 3));
  EXPECT_GT(outcome.read, static_cast<int>(kMutants / 50));
}

TEST_F(DataMutation, PreprocessJson) {
  const std::string recipe = R"({"color": "RGB", "layout": "NCHW", "resize": {"height": 8, "width": 9, "filter":
    "bicubic", "antialias": true}, "crop": {"height": 4, "width": 6}, "mean": [1, 2.5, 3], "std": [4, 5e0, 6.5],
    "label_offset": -1})";
  const data::Image image = test::test_image(5, 6);
  const Outcome outcome = feed(recipe, [&](const std::string& text) {
    const data::Preprocess parsed = data::Preprocess::from_json(text, "recipe");
    // A huge size is a valid wish; making it takes time, not more.
    if (parsed.height <= 100 && parsed.width <= 100) (void)data::apply(parsed, image);
    EXPECT_EQ(data::Preprocess::from_json(parsed.to_json(), "again"), parsed);
  });
  EXPECT_GT(outcome.refused, static_cast<int>(kMutants / 3));
  EXPECT_GT(outcome.read, 0);
}

// A brace pattern and a query are user input too.
TEST_F(DataMutation, Paths) {
  feed("synthetic:glyphs?count=3&seed=7&offset=2", [](const std::string& text) {
    const auto dataset = data::open_dataset(text, {5, {}});
    while (auto record = dataset->next()) record->decode();
  });
  test::write_archive(folder_ / "s-07.tar", {{"a.png", png_}}, test::ArchiveKind::Tar);
  feed((folder_ / "s-{07..07}.tar").string(), [](const std::string& text) { data::open_dataset(text); });
}

}  // namespace
}  // namespace halftone

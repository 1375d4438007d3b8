// Text tables with aligned columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace halftone::cli {

// Cells stay on one line, whatever names hold (base/text.h). Columns whose header starts with '>' are aligned to the
// right. Widths count characters, not bytes.
class Table {
 public:
  explicit Table(std::vector<std::string> headers);
  void add_row(std::vector<std::string> cells);
  std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the first is the header
  std::vector<bool> right_;
};

// "1,234,567".
std::string with_separators(int64_t number);
// "13.6 MB", decimal units.
std::string format_bytes(double bytes);
// "17.3 dB"; "exact" for infinity, "not finite" for NaN.
std::string format_decibel(double decibel);
// "88.38 %".
std::string format_percent(double fraction);

}  // namespace halftone::cli

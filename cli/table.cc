#include "cli/table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/text.h"

namespace halftone::cli {
namespace {

size_t width_of(const std::string& text) {
  // Continuation bytes of UTF-8 take no column.
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> headers) {
  for (std::string& header : headers) {
    right_.push_back(header.starts_with('>'));
    if (right_.back()) header.erase(0, 1);
  }
  rows_.push_back(std::move(headers));
}

void Table::add_row(std::vector<std::string> cells) {
  cells.resize(right_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::to_string() const {
  std::vector<size_t> widths(right_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i]), ' ');
      if (i > 0) line.append(2, ' ');
      if (right_[i]) line += padding;
      line += row[i];
      if (!right_[i]) line += padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string with_separators(int64_t number) {
  const std::string digits = fmt::format("{}", number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    const size_t left = digits.size() - i;
    if (i > (number < 0 ? 1u : 0u) && left % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string format_bytes(double bytes) {
  if (bytes < 1e3) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1e6) return fmt::format("{:.1f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

std::string format_decibel(double decibel) {
  if (std::isnan(decibel)) return "not finite";
  if (std::isinf(decibel)) return decibel > 0 ? "exact" : "nothing left";
  return fmt::format("{:.1f} dB", decibel);
}

std::string format_percent(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

}  // namespace halftone::cli

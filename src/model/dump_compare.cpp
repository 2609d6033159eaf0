#include "model/dump_compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

struct Array {
  std::string header;
  std::vector<float> values;
};

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names = split(read_file(folder + "/order.txt"), '\n');
  names.pop_back();
  return names;
}

/// A file as Dump writes it: little-endian fp32 in C order, header version 1.0.
Array read_array(const std::string& path) {
  const std::string bytes = read_file(path, std::int64_t{1} << 40);
  constexpr std::size_t fixed = 10;
  if (bytes.size() < fixed || bytes.compare(0, 6, "\x93NUMPY") != 0) throw DataError(path, "is no .npy file");
  const std::size_t length = static_cast<std::uint8_t>(bytes[8]) + 256U * static_cast<std::uint8_t>(bytes[9]);
  if (bytes.size() < fixed + length || (bytes.size() - fixed - length) % sizeof(float) != 0) {
    throw DataError(path, cat("is cut short at ", bytes.size(), " bytes"));
  }
  Array out;
  out.header = trim(std::string_view(bytes).substr(fixed, length));
  out.values.resize((bytes.size() - fixed - length) / sizeof(float));
  std::memcpy(out.values.data(), bytes.data() + fixed + length, out.values.size() * sizeof(float));
  return out;
}

void measure(const std::vector<float>& got, const std::vector<float>& wanted, DumpDifference& out) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double a = static_cast<double>(got[i]);
    const double b = static_cast<double>(wanted[i]);
    const bool same = a == b || (std::isnan(a) && std::isnan(b));
    const double error = same                   ? 0
                         : std::isfinite(a - b) ? std::abs(a - b)
                                                : std::numeric_limits<double>::infinity();
    out.max_abs = std::max(out.max_abs, error);
    difference += error * error;
    norm += std::isfinite(b) ? b * b : 0;
  }
  out.relative_l2 = difference == 0 ? 0 : std::sqrt(difference / norm);
}

/// Names of the folders below `folder` that hold a dump; one empty name if it is a dump itself.
std::set<std::string> dumps_in(const std::string& folder) {
  if (std::filesystem::exists(folder + "/order.txt")) return {""};
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (std::filesystem::exists(entry.path() / "order.txt")) names.insert(entry.path().filename());
  }
  if (names.empty()) throw NoInputError(folder, "holds no dump: neither order.txt nor folders with one");
  return names;
}

std::vector<DumpDifference> compare_one(const std::string& folder, const std::string& reference) {
  const std::vector<std::string> ours = names_in(folder);
  const std::vector<std::string> theirs = names_in(reference);
  std::set<std::string> unmatched(theirs.begin(), theirs.end());
  std::vector<DumpDifference> out;
  for (const std::string& name : ours) {
    DumpDifference difference;
    difference.name = name;
    const Array got = read_array(cat(folder, "/", name, ".npy"));
    difference.elements = static_cast<std::int64_t>(got.values.size());
    if (unmatched.erase(name) == 0) {
      difference.mismatch = "only in " + folder;
    } else {
      const Array wanted = read_array(cat(reference, "/", name, ".npy"));
      if (got.header != wanted.header) {
        difference.mismatch = cat(got.header, " against ", wanted.header);
      } else {
        measure(got.values, wanted.values, difference);
      }
    }
    out.push_back(std::move(difference));
  }
  for (const std::string& name : theirs) {
    if (unmatched.count(name) == 0) continue;
    DumpDifference missing;
    missing.name = name;
    missing.mismatch = "only in " + reference;
    out.push_back(std::move(missing));
  }
  return out;
}

}  // namespace

std::vector<DumpDifference> compare_dumps(const std::string& folder, const std::string& reference) {
  const std::set<std::string> ours = dumps_in(folder);
  const std::set<std::string> theirs = dumps_in(reference);
  if (ours == std::set<std::string>{""} && theirs == ours) return compare_one(folder, reference);
  std::set<std::string> all = ours;
  all.insert(theirs.begin(), theirs.end());
  std::vector<DumpDifference> out;
  for (const std::string& part : all) {
    if (ours.count(part) == 0 || theirs.count(part) == 0) {
      DumpDifference missing;
      missing.name = part + "/";
      missing.mismatch = "only in " + (ours.count(part) == 0 ? reference : folder);
      out.push_back(std::move(missing));
      continue;
    }
    for (DumpDifference& difference : compare_one(cat(folder, "/", part), cat(reference, "/", part))) {
      difference.name = cat(part, "/", difference.name);
      out.push_back(std::move(difference));
    }
  }
  return out;
}

}  // namespace wan

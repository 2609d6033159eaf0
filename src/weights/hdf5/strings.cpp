#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/hdf5/object.hpp"
#include "weights/hdf5/open_file.hpp"

namespace wan::hdf5 {

void Group::write_strings(const std::string& name, const std::vector<std::string>& texts) {
  std::vector<std::uint8_t> pool;
  std::vector<std::int64_t> offset{0};
  for (const std::string& text : texts) {
    pool.insert(pool.end(), text.begin(), text.end());
    offset.push_back(static_cast<std::int64_t>(pool.size()));
  }
  write_array(name, pool);
  write_array(name + "_offset", offset);
}

std::vector<std::string> Group::read_strings(const std::string& name, std::int64_t count) const {
  const auto pool = read_array<std::uint8_t>(name);
  const auto offset = read_array<std::int64_t>(name + "_offset", count < 0 ? -1 : count + 1);
  const auto wrong = [&] {
    return DataError(handle_.file()->path,
                     cat(name_, "/", name, "_offset: must rise from 0 to ", pool.size()));
  };
  if (offset.empty() || offset.front() != 0 || offset.back() != static_cast<std::int64_t>(pool.size()))
    throw wrong();
  std::vector<std::string> texts;
  texts.reserve(offset.size() - 1);
  for (std::size_t i = 1; i < offset.size(); ++i) {
    if (offset[i] < offset[i - 1] || offset[i] > offset.back()) throw wrong();
    texts.emplace_back(pool.begin() + offset[i - 1], pool.begin() + offset[i]);
  }
  return texts;
}

}  // namespace wan::hdf5

#include "model/dump.hpp"

#include <cerrno>
#include <fstream>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "model/parameters.hpp"

namespace wan {
namespace {

/// The header of a little-endian fp32 array in C order, padded so that the data starts at a multiple of 64.
std::string npy_header(const Shape& shape) {
  std::string extents;
  for (int axis = 0; axis < shape.rank(); ++axis) extents += cat(shape[axis], ", ");
  std::string dictionary = cat("{'descr': '<f4', 'fortran_order': False, 'shape': (", extents, "), }");
  constexpr std::size_t fixed = 10;
  dictionary.append(63 - (fixed + dictionary.size()) % 64, ' ');
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dictionary.size() & 0xffU);
  header += static_cast<char>(dictionary.size() >> 8U);
  return header + dictionary;
}

}  // namespace

Dump::Dump(Device& device, std::string folder) : device_(device), folder_(std::move(folder)) {
  make_folders(folder_);
  write_file_atomically(folder_ + "/order.txt", "");
}

void Dump::write(std::string_view name, const Tensor& tensor) {
  const int count = ++seen_[std::string(name)];
  const std::string file_name = count == 1 ? std::string(name) : cat(name, ".", count);
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  if (tensor.dense()) {
    Parameters::download(device_, tensor, values.data());
  } else {
    for (std::int64_t row = 0; row < tensor.rows(); ++row) {
      Parameters::download(device_, tensor.row_range(row, row + 1), values.data() + row * tensor.cols());
    }
  }
  const std::string path = cat(folder_, "/", file_name, ".npy");
  std::ofstream file(path, std::ios::binary);
  file << npy_header(tensor.shape);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
  std::ofstream order(folder_ + "/order.txt", std::ios::app);
  order << file_name << '\n';
  if (!file.flush() || !order.flush()) throw IoError(path, errno, "cannot write a dumped tensor");
}

}  // namespace wan

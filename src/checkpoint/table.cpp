#include "checkpoint/table.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"

namespace wan::checkpoint {
namespace {

/// One tensor as a line of text; equal lines are equal tensors.
std::string line_of(const SnapshotPart& part) {
  Json line;
  line.push(part.path).push(part.kind == FileKind::model ? 0 : 1).push(name_of(part.dtype));
  for (int axis = 0; axis < part.part.global().rank(); ++axis) line.push(part.part.global()[axis]);
  return line.dump();
}

void add_line(const std::string& text, TensorTable& table) {
  const Json line = Json::parse(text, "tensor table");
  const Json::Array& fields = line.as_array();
  StoredTensor tensor;
  tensor.path = fields.at(0).as_string();
  tensor.dtype = dtype_from_name(fields.at(2).as_string());
  for (std::size_t i = 3; i < fields.size(); ++i) tensor.shape.append(fields[i].as_integer());
  table.tensors.push_back(std::move(tensor));
  table.kinds.push_back(fields.at(1).as_integer() == 0 ? FileKind::model : FileKind::optim);
}

/// Lines that some rank has, without repetition, sorted, so that equal states are equal files on any layout.
/// Most lines are rank 0's, or one rank's alone, so only what rank 0 lacks is gathered.
std::vector<std::string> gather_lines(const Communicator& comm, const std::vector<SnapshotPart>& parts) {
  std::vector<std::string> mine;
  std::set<std::string> known;
  for (const SnapshotPart& part : parts) {
    std::string line = line_of(part);
    if (known.insert(line).second) mine.push_back(std::move(line));
  }
  std::vector<std::string> all = split(broadcast_text(comm, join(mine, "\n")), '\n');
  known = std::set<std::string>(all.begin(), all.end());
  std::vector<std::string> more;
  for (const std::string& line : mine) {
    if (known.count(line) == 0) more.push_back(line);
  }
  for (const std::string& text : gather_texts(comm, join(more, "\n"))) {
    for (const std::string& line : split(text, '\n')) {
      if (known.insert(line).second) all.push_back(line);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

std::int64_t TensorTable::bytes() const {
  std::int64_t total = 0;
  for (const StoredTensor& tensor : tensors) total += tensor.elements() * bytes_of(tensor.dtype);
  return total;
}

TensorTable gather_table(const Communicator& comm, const std::vector<SnapshotPart>& parts) {
  TensorTable table;
  for (const std::string& line : gather_lines(comm, parts)) {
    if (!line.empty()) add_line(line, table);
  }
  do_together(comm, [&] {
    std::map<std::string, std::size_t> index;
    for (std::size_t t = 0; t < table.tensors.size(); ++t) {
      const StoredTensor& tensor = table.tensors[t];
      if (tensor.dtype != DType::f32 && tensor.dtype != DType::bf16) {
        throw InternalError(
            cat("checkpoint: ", tensor.path, " is ", name_of(tensor.dtype), ", allowed: fp32, bf16"));
      }
      if (!index.emplace(tensor.path, t).second) {
        throw InternalError(cat("checkpoint: ranks differ about the file, dtype or shape of ", tensor.path));
      }
    }
    for (const SnapshotPart& part : parts) table.of_part.push_back(index.at(part.path));
  });
  std::vector<std::int64_t> brought(table.tensors.size(), 0);
  for (std::size_t p = 0; p < parts.size(); ++p) brought[table.of_part[p]] += parts[p].part.elements();
  comm.all_reduce(Tensor(brought.data(), DType::i64, {static_cast<std::int64_t>(brought.size())}),
                  Reduce::sum)
      .wait();
  do_together(comm, [&] {
    for (std::size_t t = 0; t < brought.size(); ++t) {
      const StoredTensor& tensor = table.tensors[t];
      if (brought[t] == tensor.elements()) continue;
      throw InternalError(cat("checkpoint: ", tensor.path, " has ", tensor.elements(),
                              " elements, the ranks bring ", brought[t]));
    }
  });
  return table;
}

}  // namespace wan::checkpoint

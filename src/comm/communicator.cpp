#include "comm/communicator.hpp"

#include <exception>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "comm/body.hpp"
#include "comm/device_body.hpp"
#include "comm/host_body.hpp"
#include "comm/transport.hpp"

namespace wan {
namespace {

void check(bool right, const char* operation, const std::string& rule) {
  if (!right) throw InternalError(cat("communicator: ", operation, ": ", rule));
}

void check_dense(const Tensor& tensor, const char* operation) {
  check(tensor.dense() || tensor.rows() <= 1, operation,
        cat("tensor ", tensor.shape.text(), " is not dense"));
}

void check_reducible(const Tensor& tensor, const char* operation) {
  check_dense(tensor, operation);
  const DType t = tensor.dtype;
  check(t == DType::f32 || t == DType::f64 || t == DType::bf16 || t == DType::i64, operation,
        cat("cannot reduce ", name_of(t), ", only fp32, fp64, bf16 and int64"));
}

void check_parts(const Tensor& whole, const Tensor& own, const std::vector<std::int64_t>& counts, int rank,
                 int size, const char* operation) {
  check_dense(whole, operation);
  check_dense(own, operation);
  check(whole.dtype == own.dtype, operation, "dtypes differ");
  check(counts.size() == static_cast<std::size_t>(size), operation, "one count per rank is needed");
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  check(total == whole.elements(), operation,
        cat("counts add up to ", total, ", tensor has ", whole.elements()));
  const std::int64_t mine = counts[static_cast<std::size_t>(rank)];
  check(mine == own.elements(), operation,
        cat("own part has ", own.elements(), " elements, count says ", mine));
}

std::vector<std::int64_t> equal_counts(std::int64_t each, int size) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(size), each);
}

}  // namespace

Pending::Pending(std::shared_ptr<CommBody> body, std::shared_ptr<Work> work)
    : body_(std::move(body)), work_(std::move(work)), exceptions_(std::uncaught_exceptions()) {}

Pending& Pending::operator=(Pending&& other) noexcept {
  std::swap(body_, other.body_);
  std::swap(work_, other.work_);
  std::swap(exceptions_, other.exceptions_);
  return *this;
}

Pending::~Pending() {
  if (work_ == nullptr) return;
  if (std::uncaught_exceptions() > exceptions_) {
    work_->abandon();
    return;
  }
  try {
    body_->finish(*work_, {});
  } catch (const std::exception&) {
    // A destructor cannot report; the next operation on this communicator fails as well and does.
    work_->abandon();
  }
}

void Pending::wait(Stream stream) {
  if (work_ == nullptr) return;
  const std::shared_ptr<Work> work = std::exchange(work_, nullptr);
  try {
    body_->finish(*work, stream);
  } catch (...) {
    work->abandon();
    throw;
  }
}

Communicator::Communicator() : body_(make_host_body(make_self_transport())) {}

int Communicator::rank() const {
  return body_->rank();
}
int Communicator::size() const {
  return body_->size();
}

Pending Communicator::all_reduce(const Tensor& data, Reduce op, Stream stream) const {
  check_reducible(data, "all_reduce");
  return {body_, body_->all_reduce(data, op, stream)};
}

Pending Communicator::reduce_scatter(const Tensor& in, const Tensor& out, Reduce op, Stream stream) const {
  return reduce_scatter(in, out, equal_counts(out.elements(), size()), op, stream);
}

Pending Communicator::reduce_scatter(const Tensor& in, const Tensor& out,
                                     const std::vector<std::int64_t>& counts, Reduce op,
                                     Stream stream) const {
  check_reducible(in, "reduce_scatter");
  check_parts(in, out, counts, rank(), size(), "reduce_scatter");
  return {body_, body_->reduce_scatter(in, out, counts, op, stream)};
}

Pending Communicator::all_gather(const Tensor& in, const Tensor& out, Stream stream) const {
  return all_gather(in, out, equal_counts(in.elements(), size()), stream);
}

Pending Communicator::all_gather(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                                 Stream stream) const {
  check_parts(out, in, counts, rank(), size(), "all_gather");
  return {body_, body_->all_gather(in, out, counts, stream)};
}

Pending Communicator::broadcast(const Tensor& data, int root, Stream stream) const {
  check_dense(data, "broadcast");
  check(root >= 0 && root < size(), "broadcast", cat("root ", root, " of ", size(), " ranks"));
  return {body_, body_->broadcast(data, root, stream)};
}

Pending Communicator::all_to_all(const Tensor& in, const Tensor& out, Stream stream) const {
  check(in.elements() % size() == 0, "all_to_all", cat(in.elements(), " elements over ", size(), " ranks"));
  const std::vector<std::int64_t> counts = equal_counts(in.elements() / size(), size());
  return all_to_all(in, counts, out, counts, stream);
}

Pending Communicator::all_to_all(const Tensor& in, const std::vector<std::int64_t>& sent, const Tensor& out,
                                 const std::vector<std::int64_t>& received, Stream stream) const {
  check_dense(in, "all_to_all");
  check_dense(out, "all_to_all");
  check(in.dtype == out.dtype, "all_to_all", "dtypes differ");
  const auto ranks = static_cast<std::size_t>(size());
  check(sent.size() == ranks && received.size() == ranks, "all_to_all", "one count per rank is needed");
  const std::int64_t out_total = std::accumulate(received.begin(), received.end(), std::int64_t{0});
  const std::int64_t in_total = std::accumulate(sent.begin(), sent.end(), std::int64_t{0});
  check(in_total == in.elements() && out_total == out.elements(), "all_to_all", "counts and tensors differ");
  return {body_, body_->all_to_all(in, sent, out, received, stream)};
}

Pending Communicator::exchange(const std::vector<Transfer>& sends, const std::vector<Transfer>& receives,
                               Stream stream) const {
  for (const auto* list : {&sends, &receives}) {
    for (const Transfer& transfer : *list) {
      check_dense(transfer.tensor, "exchange");
      check(transfer.peer >= 0 && transfer.peer < size(), "exchange",
            cat("peer ", transfer.peer, " of ", size()));
    }
  }
  return {body_, body_->exchange(sends, receives, stream)};
}

void Communicator::barrier() const {
  body_->barrier();
}

Communicator Communicator::split(int color, int key) const {
  check(color >= 0, "split", "colours start at 0");
  return Communicator(body_->split(color, key));
}

Communicator Communicator::duplicate(Waiting waiting) const {
  return Communicator(body_->duplicate(waiting));
}

Communicator Communicator::on_device(Device& device) const {
  if (size() == 1 || device.groups() == nullptr) return *this;
  return Communicator(make_device_body(body_, device));
}

const void* Communicator::native() const {
  return body_->native();
}

}  // namespace wan

#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"

namespace wan {

/// One started operation, as its body sees it.
class Work {
 public:
  virtual ~Work() = default;
  /// Returns when the result is in place.
  virtual void finish() = 0;
  /// The caller is unwinding: touch its buffers no more, if that can be arranged.
  virtual void abandon() noexcept = 0;
  /// Collectives may need this rank for a later stage, so whoever waits finishes those started before.
  /// Exchanges between some ranks may depend on what this rank does next, so they are finished only when
  /// waited for.
  [[nodiscard]] virtual bool collective() const = 0;
};

/// What a kind of communicator implements. Arguments were checked by Communicator; `counts` has one entry per
/// rank.
class CommBody {
 public:
  virtual ~CommBody() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;

  virtual std::shared_ptr<Work> all_reduce(const Tensor& data, Reduce op, Stream stream) = 0;
  virtual std::shared_ptr<Work> reduce_scatter(const Tensor& in, const Tensor& out,
                                               const std::vector<std::int64_t>& counts, Reduce op,
                                               Stream stream) = 0;
  virtual std::shared_ptr<Work> all_gather(const Tensor& in, const Tensor& out,
                                           const std::vector<std::int64_t>& counts, Stream stream) = 0;
  virtual std::shared_ptr<Work> broadcast(const Tensor& data, int root, Stream stream) = 0;
  virtual std::shared_ptr<Work> all_to_all(const Tensor& in, const std::vector<std::int64_t>& sent,
                                           const Tensor& out, const std::vector<std::int64_t>& received,
                                           Stream stream) = 0;
  virtual std::shared_ptr<Work> exchange(const std::vector<Transfer>& sends,
                                         const std::vector<Transfer>& receives, Stream stream) = 0;
  virtual void barrier() = 0;

  /// Finishes `work` and the collectives started before it.
  virtual void finish(Work& work, Stream stream) = 0;

  [[nodiscard]] virtual std::shared_ptr<CommBody> split(int color, int key) = 0;
  [[nodiscard]] virtual std::shared_ptr<CommBody> duplicate(Waiting waiting) = 0;
  [[nodiscard]] virtual const void* native() const { return nullptr; }
};

}  // namespace wan

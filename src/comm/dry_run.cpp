#include "comm/dry_run.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "comm/host_body.hpp"
#include "comm/transport.hpp"

namespace wan {
namespace {

/// Set when a rank has thrown; shared by a world and all groups split from it.
struct Failure {
  std::mutex mutex;
  std::condition_variable changed;
  bool failed = false;
};

using Message = std::vector<std::byte>;

/// The letter boxes of a group of threads, and the groups being made from it.
class Post {
 public:
  Post(int size, std::shared_ptr<Failure> failure) : size_(size), failure_(std::move(failure)) {}

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] const std::shared_ptr<Failure>& failure() const { return failure_; }

  void put(int from, int to, int tag, Message message) {
    const std::lock_guard<std::mutex> lock(failure_->mutex);
    boxes_[{from, to, tag}].push_back(std::move(message));
    failure_->changed.notify_all();
  }

  Message take(int from, int to, int tag) {
    std::unique_lock<std::mutex> lock(failure_->mutex);
    auto& box = boxes_[{from, to, tag}];
    failure_->changed.wait(lock, [&] { return !box.empty() || failure_->failed; });
    if (box.empty()) throw CommError("dry run: another rank failed");
    Message message = std::move(box.front());
    box.pop_front();
    return message;
  }

  /// The group of number `id`, made by the first member that asks.
  std::shared_ptr<Post> subgroup(const std::pair<int, int>& id, int members) {
    const std::lock_guard<std::mutex> lock(failure_->mutex);
    auto& group = groups_[id];
    if (group == nullptr) group = std::make_shared<Post>(members, failure_);
    return group;
  }

 private:
  int size_;
  std::shared_ptr<Failure> failure_;
  std::map<std::tuple<int, int, int>, std::deque<Message>> boxes_;
  std::map<std::pair<int, int>, std::shared_ptr<Post>> groups_;
};

class PostFlight final : public Flight {
 public:
  PostFlight(Post& post, int rank, std::vector<Parcel> receives, int tag)
      : post_(post), rank_(rank), receives_(std::move(receives)), tag_(tag) {}

  void land() override {
    for (const Parcel& parcel : receives_) {
      const Message message = post_.take(parcel.peer, rank_, tag_);
      if (static_cast<std::int64_t>(message.size()) != parcel.bytes) {
        throw CommError(cat("dry run: rank ", rank_, " expects ", parcel.bytes, " bytes from rank ",
                            parcel.peer, ", got ", message.size()));
      }
      std::copy(message.begin(), message.end(), static_cast<std::byte*>(parcel.data));
    }
    receives_.clear();
  }
  void abandon() noexcept override { receives_.clear(); }

 private:
  Post& post_;
  int rank_;
  std::vector<Parcel> receives_;
  int tag_;
};

class DryTransport final : public Transport {
 public:
  DryTransport(std::shared_ptr<Post> post, int rank) : post_(std::move(post)), rank_(rank) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return post_->size(); }

  std::unique_ptr<Flight> start(const std::vector<Parcel>& sends, const std::vector<Parcel>& receives,
                                int tag) override {
    for (const Parcel& parcel : sends) {
      const auto* first = static_cast<const std::byte*>(parcel.data);
      post_->put(rank_, parcel.peer, tag, Message(first, first + parcel.bytes));
    }
    return std::make_unique<PostFlight>(*post_, rank_, receives, tag);
  }

  std::unique_ptr<Flight> broadcast(void* data, std::int64_t bytes, int root, int tag) override {
    std::vector<Parcel> sends;
    if (rank_ != root) return start({}, {{root, data, bytes}}, tag);
    for (int peer = 0; peer < size(); ++peer) {
      if (peer != rank_) sends.push_back({peer, data, bytes});
    }
    return start(sends, {}, tag);
  }

  void barrier(int tag) override {
    std::vector<Parcel> all;
    for (int peer = 0; peer < size(); ++peer) {
      if (peer != rank_) all.push_back({peer, nullptr, 0});
    }
    start(all, all, tag)->land();
  }

  std::unique_ptr<Transport> split(int color, int key) override {
    std::vector<std::array<int, 2>> votes(static_cast<std::size_t>(size()));
    const auto me = static_cast<std::size_t>(rank_);
    votes[me] = {color, key};
    std::vector<Parcel> sends;
    std::vector<Parcel> receives;
    for (int peer = 0; peer < size(); ++peer) {
      if (peer == rank_) continue;
      sends.push_back({peer, &votes[me], sizeof votes[me]});
      receives.push_back({peer, &votes[static_cast<std::size_t>(peer)], sizeof votes[me]});
    }
    start(sends, receives, split_tag)->land();
    std::vector<std::pair<int, int>> members;
    for (int peer = 0; peer < size(); ++peer) {
      const auto& vote = votes[static_cast<std::size_t>(peer)];
      if (vote[0] == color) members.emplace_back(vote[1], peer);
    }
    std::sort(members.begin(), members.end());
    const auto mine = std::find(members.begin(), members.end(), std::make_pair(key, rank_));
    ++splits_;
    return std::make_unique<DryTransport>(post_->subgroup({splits_, color}, static_cast<int>(members.size())),
                                          static_cast<int>(mine - members.begin()));
  }

  std::unique_ptr<Transport> duplicate(Waiting) override { return split(0, rank_); }

 private:
  static constexpr int split_tag = Transport::tags;

  std::shared_ptr<Post> post_;
  int rank_;
  int splits_ = 0;
};

}  // namespace

void dry_run(int ranks, const std::function<void(const Communicator&)>& body) {
  const auto failure = std::make_shared<Failure>();
  const auto post = std::make_shared<Post>(ranks, failure);
  std::exception_ptr first;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body(Communicator(make_host_body(std::make_unique<DryTransport>(post, rank))));
      } catch (...) {
        const std::lock_guard<std::mutex> lock(failure->mutex);
        if (!failure->failed) first = std::current_exception();
        failure->failed = true;
        failure->changed.notify_all();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first != nullptr) std::rethrow_exception(first);
}

}  // namespace wan

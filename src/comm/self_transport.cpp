#include "comm/transport.hpp"

namespace wan {
namespace {

class Landed final : public Flight {
 public:
  void land() override {}
  void abandon() noexcept override {}
};

class SelfTransport final : public Transport {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 1; }
  std::unique_ptr<Flight> start(const std::vector<Parcel>&, const std::vector<Parcel>&, int) override {
    return std::make_unique<Landed>();
  }
  std::unique_ptr<Flight> broadcast(void*, std::int64_t, int, int) override {
    return std::make_unique<Landed>();
  }
  void barrier(int) override {}
  std::unique_ptr<Transport> split(int, int) override { return make_self_transport(); }
  std::unique_ptr<Transport> duplicate(Waiting) override { return make_self_transport(); }
};

}  // namespace

std::unique_ptr<Transport> make_self_transport() {
  return std::make_unique<SelfTransport>();
}

}  // namespace wan

#include "data/packing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/philox.hpp"

namespace wan {
namespace {

/// Free room of bins 0 .. n - 1 with the first bin that has at least a given room found in O(log n). Bins
/// that are not open yet have the whole capacity.
class FreeRoom {
 public:
  FreeRoom(std::size_t bins, std::int64_t capacity) {
    while (leaves_ < bins) leaves_ *= 2;
    most_.assign(2 * leaves_, capacity);
  }

  [[nodiscard]] std::size_t first_with(std::int64_t room) const {
    std::size_t node = 1;
    while (node < leaves_) node = most_[2 * node] >= room ? 2 * node : 2 * node + 1;
    return node - leaves_;
  }

  void take(std::size_t bin, std::int64_t room) {
    std::size_t node = bin + leaves_;
    most_[node] -= room;
    while (node > 1) {
      node /= 2;
      most_[node] = std::max(most_[2 * node], most_[2 * node + 1]);
    }
  }

 private:
  std::size_t leaves_ = 1;
  std::vector<std::int64_t> most_;
};

}  // namespace

std::vector<PackPlan> first_fit_decreasing(const std::vector<std::int64_t>& sizes, std::int64_t capacity) {
  std::vector<std::int64_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto size_of = [&](std::int64_t item) { return sizes[static_cast<std::size_t>(item)]; };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return size_of(a) > size_of(b); });
  std::vector<PackPlan> bins;
  FreeRoom room(sizes.size(), capacity);
  std::size_t alone = 0;
  for (const std::int64_t item : order) {
    if (size_of(item) > capacity) {
      bins.push_back({item});
      ++alone;
      continue;
    }
    const std::size_t bin = room.first_with(size_of(item));
    if (alone + bin == bins.size()) bins.emplace_back();
    bins[alone + bin].push_back(item);
    room.take(bin, size_of(item));
  }
  return bins;
}

std::vector<PackPlan> form_packs(const SampleSource& source, const std::vector<std::int64_t>& order,
                                 const Packing& packing) {
  std::vector<PackPlan> packs;
  const std::size_t window = packing.window <= 0 ? 1 : static_cast<std::size_t>(packing.window);
  for (std::size_t first = 0; first < order.size(); first += window) {
    const std::size_t count = std::min(window, order.size() - first);
    std::vector<std::int64_t> tokens;
    for (std::size_t i = 0; i < count; ++i) tokens.push_back(source.info(order[first + i]).latent.tokens());
    std::vector<PackPlan> bins = first_fit_decreasing(tokens, packing.tokens);
    for (PackPlan& bin : bins) std::sort(bin.begin(), bin.end());
    std::sort(bins.begin(), bins.end(), [](const auto& a, const auto& b) { return a.front() < b.front(); });
    for (PackPlan& bin : bins) {
      for (std::int64_t& item : bin) item = order[first + static_cast<std::size_t>(item)];
      packs.push_back(std::move(bin));
    }
  }
  return packs;
}

std::vector<std::int64_t> epoch_order(const SampleSource& source, std::uint64_t seed, std::int64_t epoch) {
  struct Place {
    std::uint64_t key;
    std::uint64_t id;
    std::int64_t index;
  };
  std::vector<Place> places;
  places.reserve(static_cast<std::size_t>(source.size()));
  for (std::int64_t index = 0; index < source.size(); ++index) {
    const std::uint64_t id = source.info(index).id;
    const Random4 draw = philox(random_key(seed, id, static_cast<std::uint32_t>(epoch), Purpose::order), 0);
    places.push_back({draw.v[0] | std::uint64_t{draw.v[1]} << 32, id, index});
  }
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return a.key != b.key ? a.key < b.key : a.id < b.id; });
  std::vector<std::int64_t> order;
  order.reserve(places.size());
  for (const Place& place : places) order.push_back(place.index);
  return order;
}

PackBounds pack_bounds(const SampleSource& source, const Packing& packing) {
  PackBounds bounds;
  std::int64_t fewest_tokens = packing.tokens;
  double text_per_token = 0;
  for (std::int64_t index = 0; index < source.size(); ++index) {
    const SampleInfo info = source.info(index);
    const std::int64_t tokens = std::max<std::int64_t>(1, info.latent.tokens());
    const std::int64_t text = std::max(info.text_rows, source.null_text().rows);
    bounds.tokens = std::max(bounds.tokens, tokens);
    bounds.text_rows = std::max(bounds.text_rows, text);
    fewest_tokens = std::min(fewest_tokens, tokens);
    text_per_token = std::max(text_per_token, static_cast<double>(text) / static_cast<double>(tokens));
  }
  bounds.samples = 1;
  bounds.longest = bounds.tokens;
  if (packing.window <= 0) return bounds;
  bounds.tokens = std::max(bounds.tokens, packing.tokens);
  bounds.samples =
      std::clamp<std::int64_t>(packing.tokens / std::max<std::int64_t>(1, fewest_tokens), 1,
                               std::max<std::int64_t>(1, std::min(packing.window, source.size())));
  // Each sample has at most text_per_token rows per token, so all of a pack have at most that on its
  // capacity.
  const auto rows =
      static_cast<std::int64_t>(std::ceil(text_per_token * static_cast<double>(packing.tokens)));
  bounds.text_rows = std::max(bounds.text_rows, std::min(rows, bounds.samples * bounds.text_rows));
  return bounds;
}

}  // namespace wan

#include "data/loader.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "base/error.hpp"
#include "listed_source.hpp"

namespace wan {
namespace {

Loader::Options options(std::int64_t read_ahead) {
  return {11, {60, 20}, {6, 2, 0, 1}, read_ahead};
}

std::shared_ptr<const SampleSource> source_of(int samples) {
  std::mt19937 random(1);
  return std::make_shared<test::ListedSource>(test::ListedSource::random(samples, random));
}

TEST(Loader, GivesEverySampleItsOwnData) {
  Loader loader(source_of(30), options(2));
  for (int step = 0; step < 10; ++step) {
    for (int micro = 0; micro < 3; ++micro) {
      const MicroBatch batch = loader.next();
      EXPECT_EQ(batch.last, micro == 2);
      std::size_t latent = 0;
      std::size_t text = 0;
      for (const HostSample& sample : batch.pack.samples) {
        for (std::int64_t i = 0; i < sample.latent.elements(); ++i) {
          ASSERT_EQ(batch.pack.latents[latent++], static_cast<float>(sample.id % 1000));
        }
        for (std::int64_t i = 0; i < sample.text_rows * 3; ++i) {
          ASSERT_EQ(batch.pack.text[text++], -static_cast<float>(sample.id % 1000));
        }
      }
      EXPECT_EQ(latent, batch.pack.latents.size());
      EXPECT_EQ(text, batch.pack.text.size());
    }
  }
}

TEST(Loader, ReadingAheadChangesNothingAndStateIsThatOfWholeSteps) {
  const auto source = source_of(25);
  Loader plain(source, options(0));
  Loader ahead(source, options(5));
  for (int i = 0; i < 40; ++i) {
    const MicroBatch a = plain.next();
    const MicroBatch b = ahead.next();
    EXPECT_EQ(a.pack.latents, b.pack.latents);
    EXPECT_EQ(a.step_samples, b.step_samples);
    EXPECT_EQ(a.step_tokens, b.step_tokens);
    EXPECT_EQ(plain.state(), ahead.state());
  }
}

TEST(Loader, ContinuesFromItsState) {
  const auto source = source_of(25);
  Loader whole(source, options(3));
  for (int i = 0; i < 3 * 7; ++i) (void)whole.next();
  Loader resumed(source, options(3), whole.state());
  for (int i = 0; i < 3 * 7; ++i) {
    const MicroBatch a = whole.next();
    const MicroBatch b = resumed.next();
    ASSERT_EQ(a.pack.samples.size(), b.pack.samples.size());
    for (std::size_t s = 0; s < a.pack.samples.size(); ++s) {
      EXPECT_EQ(a.pack.samples[s].id, b.pack.samples[s].id);
      EXPECT_EQ(a.pack.samples[s].visit, b.pack.samples[s].visit);
    }
  }
}

/// Fails at the n-th read.
class FailingSource : public test::ListedSource {
 public:
  FailingSource(test::ListedSource base, int good) : ListedSource(std::move(base)), left_(good) {}
  void read(std::int64_t index, float* latent, float* text) const override {
    if (left_-- == 0) throw DataError("shard", "flipped bit");
    ListedSource::read(index, latent, text);
  }

 private:
  mutable std::atomic<int> left_;
};

TEST(Loader, AFailureToReadArrivesInItsTurnAndStays) {
  std::mt19937 random(1);
  const auto source = std::make_shared<FailingSource>(test::ListedSource::random(25, random), 20);
  Loader loader(source, options(4));
  int good = 0;
  try {
    for (;; ++good) (void)loader.next();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("flipped bit"), std::string::npos);
  }
  EXPECT_GT(good, 0);
  EXPECT_THROW((void)loader.next(), DataError);
}

TEST(Loader, EndsWhileItReadsAhead) {
  for (int round = 0; round < 50; ++round) Loader loader(source_of(10), options(1 + round % 3));
}

}  // namespace
}  // namespace wan

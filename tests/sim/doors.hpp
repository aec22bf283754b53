#pragma once
// The doors of a simulated run: the fakes, with mishaps on the way to them and back.

#include <map>
#include <string>
#include <utility>

#include "bernstein/port/ownership.hpp"
#include "mishaps.hpp"
#include "support/fake_reactor.hpp"
#include "support/fake_workspace.hpp"
#include "support/memory_blob_store.hpp"
#include "support/memory_event_log.hpp"

namespace bernstein::sim {

class SimulatedLog final : public port::EventLog {
 public:
  SimulatedLog(test::MemoryEventLog& log, Mishaps& mishaps) : log_(log), mishaps_(mishaps) {}

  Result<port::LogHead> head() override { return log_.head(); }
  Result<std::vector<RunId>> runs() override { return log_.runs(); }
  Status read(RunId run, const std::function<bool(const Record&)>& visit) override { return log_.read(run, visit); }
  Status read_all(const std::function<bool(const Record&)>& visit) override { return log_.read_all(visit); }
  Result<Seq> find_passed(const std::string& key) override { return log_.find_passed(key); }
  Result<std::optional<Resolution>> find_resolution(const ConflictedPath& conflict) override {
    return log_.find_resolution(conflict);
  }
  Result<port::Table> query(const std::string& sql) override { return log_.query(sql); }
  Status append(std::span<const Record> records) override;

  void begin_life() { appends_ = 0; }

 private:
  test::MemoryEventLog& log_;
  Mishaps& mishaps_;
  int appends_ = 0;  // in this life
};

class SimulatedBlobs final : public port::BlobStore {
 public:
  SimulatedBlobs(test::MemoryBlobStore& blobs, Mishaps& mishaps) : blobs_(blobs), mishaps_(mishaps) {}

  Result<std::string> put(std::string_view bytes) override;
  Result<std::string> get(std::string_view digest) override { return blobs_.get(digest); }

 private:
  test::MemoryBlobStore& blobs_;
  Mishaps& mishaps_;
};

class SimulatedOwnership final : public port::Ownership {
 public:
  explicit SimulatedOwnership(Mishaps& mishaps) : mishaps_(mishaps) {}
  Status still_ours() const override;

 private:
  Mishaps& mishaps_;
};

class SimulatedReactor final : public port::Reactor {
 public:
  // `begins` is called when the loop has taken over and listens for signals.
  SimulatedReactor(test::FakeReactor& reactor, Mishaps& mishaps, std::function<void()> begins)
      : reactor_(reactor), mishaps_(mishaps), begins_(std::move(begins)) {}

  Result<Started> start(port::ProcessSpec spec, std::function<void(port::ProcessExit)> on_exit) override;
  void stop(port::ProcessKey key) override { reactor_.stop(key); }
  Result<Started> start_supervised(port::ProcessSpec spec, port::SuperviseSpec supervise,
                                   std::function<void(port::ProcessExit)> on_exit) override;
  void go(port::ProcessKey key) override;
  void on_stall(port::ProcessKey key, std::function<void(Micros)> told) override {
    reactor_.on_stall(key, std::move(told));
  }
  Result<Adopted> adopt(const std::string& directory, std::function<void(port::ProcessExit)> on_exit) override;
  Status end_unreachable(const std::string& prefix) override { return reactor_.end_unreachable(prefix); }
  void submit(std::function<void()> work, std::function<void()> done) override;
  port::TimerKey after(Micros delay_us, std::function<void()> fire) override {
    return reactor_.after(delay_us, std::move(fire));
  }
  void cancel(port::TimerKey key) override { reactor_.cancel(key); }
  void on_signal(std::function<void(int)> handler) override;
  Status watch_directory(const std::string& path, std::function<void()> changed) override {
    return reactor_.watch_directory(path, std::move(changed));
  }
  void turn() override;
  Micros monotonic_us() override { return reactor_.monotonic_us(); }
  Micros wall_us() override { return reactor_.wall_us() + wall_offset_us_; }
  Micros utc_offset_us() override { return reactor_.utc_offset_us(); }

  void begin_life();

 private:
  test::FakeReactor& reactor_;
  Mishaps& mishaps_;
  std::function<void()> begins_;
  std::map<std::string, bool> is_agent_;  // by control directory
  Micros wall_offset_us_ = 0;
  int turns_ = 0;  // in this life
};

// Lets the workspace have the seed's mishaps.
void disturb(test::FakeWorkspace& workspace, Mishaps& mishaps);

// What must always hold does not, or the run does not come to an end.
struct Violation {
  std::string what;
};

}  // namespace bernstein::sim

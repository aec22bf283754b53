#include "read_ahead.hpp"

#include <utility>

#include "bernstein/event/chain.hpp"
#include "bernstein/event/codec.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_batch_events = 512;
constexpr std::size_t k_batches_waiting_max = 16;  // bounds what is held when folding is the slower half

}  // namespace

ReadAhead::ReadAhead(port::EventReader& reader, RunId run, std::optional<Seq> until)
    : reader_(reader), run_(run), until_(until), thread_([this] { read(); }) {}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<std::vector<Event>> ReadAhead::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return read_ || !waiting_.empty(); });
  if (waiting_.empty()) return std::nullopt;
  std::vector<Event> events = std::move(waiting_.front());
  waiting_.pop_front();
  changed_.notify_all();
  return events;
}

bool ReadAhead::push(std::vector<Event> events) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return abandoned_ || waiting_.size() < k_batches_waiting_max; });
  if (abandoned_) return false;
  waiting_.push_back(std::move(events));
  changed_.notify_all();
  return true;
}

void ReadAhead::read() {
  RunChain chain;
  std::vector<Event> batch;
  batch.reserve(k_batch_events);
  std::optional<Error> fault;
  Status walked = reader_.read(run_, [&](const Record& record) {
    if (first_seq_ == 0) first_seq_ = record.seq;
    if (until_ && record.seq > *until_) return false;
    if (const std::string broken = chain.follow(record); !broken.empty()) {
      fault = altered(record, broken);
      return false;
    }
    Result<Event> event = to_event(record);
    if (!event) {
      fault = std::move(event).error();
      return false;
    }
    batch.push_back(std::move(event).value());
    if (batch.size() < k_batch_events) return true;
    const bool wanted = push(std::exchange(batch, {}));
    batch.reserve(k_batch_events);
    return wanted;
  });
  if (!batch.empty()) push(std::move(batch));
  if (fault) walked = *std::move(fault);
  const std::lock_guard lock(mutex_);
  status_ = std::move(walked);
  read_ = true;
  changed_.notify_all();
}

}  // namespace bernstein::cli

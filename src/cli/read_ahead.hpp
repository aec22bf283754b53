#pragma once
// ReadAhead: the events of a run, read, checked against their chain and decoded on a second thread while the first one
// folds them. Both take about as long, so a look at a long run takes little more than half the time.
//
//     ReadAhead ahead(reader, run, until);
//     while (std::optional<std::vector<Event>> events = ahead.take()) ...fold them...
//     BERNSTEIN_TRY_VOID(ahead.status());
//
// The reader belongs to the second thread until take() has returned nothing or this object is gone.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "bernstein/event/event.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::cli {

class ReadAhead {
 public:
  // Up to and including `until`, when there is one.
  ReadAhead(port::EventReader& reader, RunId run, std::optional<Seq> until);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead();

  // The next events, in order; nothing after the last ones, or where reading failed.
  std::optional<std::vector<Event>> take();

  // How reading went, and the run's first seq (0: it has no events). Call when take() has returned nothing.
  const Status& status() const { return status_; }
  Seq first_seq() const { return first_seq_; }

 private:
  void read();
  bool push(std::vector<Event> events);  // false: nobody wants more

  port::EventReader& reader_;
  RunId run_;
  std::optional<Seq> until_;
  Status status_ = Ok{};
  Seq first_seq_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<Event>> waiting_;
  bool read_ = false;       // no more will come
  bool abandoned_ = false;  // no more are wanted
  std::thread thread_;      // last: it uses the others
};

}  // namespace bernstein::cli

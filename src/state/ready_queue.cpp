#include "bernstein/state/ready_queue.hpp"

#include "bernstein/base/check.hpp"

namespace bernstein {

void ReadyQueue::insert(Rank rank, const Lane& lane, const std::vector<std::string>& files) {
  BERNSTEIN_CHECK(!where_.contains(rank.task), "a task is queued once");
  auto [entry, is_new] = class_ids_.try_emplace({files, lane}, next_class_);
  const ClassId id = entry->second;
  if (is_new) {
    ++next_class_;
    Class& fresh = classes_[id];
    fresh.lane = lane;
    fresh.files = files;
    for (const std::string& pattern : files) {
      class_files_.insert(pattern, id);
      for (PathTrie::Holder holder : leases_.overlapping(pattern)) fresh.blockers.insert(TaskId{holder});
    }
    for (TaskId holder : fresh.blockers) parked_[holder].insert(id);
  }
  delist(id);
  classes_.at(id).tasks.insert(rank);
  enlist(id);
  where_.emplace(rank.task, std::pair{id, rank});
}

void ReadyQueue::erase(TaskId task) {
  auto place = where_.find(task);
  if (place == where_.end()) return;
  const auto [id, rank] = place->second;
  where_.erase(place);
  delist(id);
  Class& found = classes_.at(id);
  found.tasks.erase(rank);
  if (!found.tasks.empty()) return enlist(id);
  // The class is gone with its last task, so that the queue stays as small as what waits in it.
  for (const std::string& pattern : found.files) class_files_.erase(pattern, id);
  for (TaskId holder : found.blockers) parked_.at(holder).erase(id);
  class_ids_.erase({found.files, found.lane});
  classes_.erase(id);
}

void ReadyQueue::lease(TaskId holder, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    if (!held_[holder].insert(pattern).second) continue;
    leases_.insert(pattern, holder.number);
    for (ClassId id : class_files_.overlapping(pattern)) {
      delist(id);
      classes_.at(id).blockers.insert(holder);
      parked_[holder].insert(id);
    }
  }
}

void ReadyQueue::release(TaskId holder) {
  if (auto held = held_.find(holder); held != held_.end()) {
    for (const std::string& pattern : held->second) leases_.erase(pattern, holder.number);
    held_.erase(held);
  }
  if (auto parked = parked_.find(holder); parked != parked_.end()) {
    for (ClassId id : parked->second) {
      classes_.at(id).blockers.erase(holder);
      enlist(id);
    }
    parked_.erase(parked);
  }
}

std::set<Rank> ReadyQueue::heads() const {
  std::set<Rank> best;
  for (const auto& [lane, classes] : lanes_) best.insert(classes.begin()->first);
  return best;
}

std::optional<TaskId> ReadyQueue::holder_of(std::string_view path, TaskId except) const {
  for (PathTrie::Holder holder : leases_.owners(path)) {
    if (holder != except.number) return TaskId{holder};
  }
  return std::nullopt;
}

void ReadyQueue::enlist(ClassId id) {
  const Class& shown = classes_.at(id);
  if (shown.blockers.empty() && !shown.tasks.empty()) lanes_[shown.lane].insert({*shown.tasks.begin(), id});
}

void ReadyQueue::delist(ClassId id) {
  const Class& hidden = classes_.at(id);
  if (!hidden.blockers.empty() || hidden.tasks.empty()) return;
  auto lane = lanes_.find(hidden.lane);
  lane->second.erase({*hidden.tasks.begin(), id});
  if (lane->second.empty()) lanes_.erase(lane);
}

}  // namespace bernstein

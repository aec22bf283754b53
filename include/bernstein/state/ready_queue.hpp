#pragma once
// ReadyQueue: the ready tasks that may start now, best first, kept up to date as leases on files come and go.
//
//     queue.insert(TaskId{7}, {.priority = 2, .chain_minutes = 90}, lane, {"src/auth/"});
//     queue.lease(TaskId{3}, {"src/"});       // t3 is in flight and owns src/: t7 waits
//     queue.heads()                           // the best task of every lane that waits for nobody's files
//     queue.release(TaskId{3});               // t7 is back
//
// Tasks with the same files and lane form one class: a lease parks or frees a class as a whole. An operation costs
// O(log n) and the number of classes that the lease overlaps, however many tasks wait.

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/event/spec.hpp"
#include "bernstein/state/path_trie.hpp"

namespace bernstein {

// Order among ready tasks: priority (1 first), then the longer chain of work behind it, then the id.
struct Rank {
  std::uint32_t priority = 2;
  std::uint32_t chain_minutes = 0;
  TaskId task;

  friend std::strong_ordering operator<=>(const Rank& a, const Rank& b) {
    if (auto c = a.priority <=> b.priority; c != 0) return c;
    if (auto c = b.chain_minutes <=> a.chain_minutes; c != 0) return c;  // longer first
    return a.task <=> b.task;
  }
  bool operator==(const Rank&) const = default;
};

// All that the arms that a task may have, and so its claim on an agent's or a role's slots, and what it reserves of the
// budget depend on: so when the first of a lane cannot have a slot, none of the lane can.
struct Lane {
  std::string role;
  std::string agent;  // pins
  std::string model;
  Complexity complexity = Complexity::medium;
  Scope scope = Scope::medium;
  std::uint32_t failures = 0;  // attempts used up
  std::string failed;          // the arm of the last of these
  std::string resolves;  // who had the conflict that it is to resolve, and how often it had one; "": there is none
  std::optional<UsdMicros> own_money = {};  // what is left of the task's own ceiling
  auto operator<=>(const Lane&) const = default;
};

class ReadyQueue {
 public:
  void insert(Rank rank, const Lane& lane, const std::vector<std::string>& files);
  void erase(TaskId task);  // no effect when it is not in the queue

  void lease(TaskId holder, const std::vector<std::string>& patterns);  // adds to what the holder has
  void release(TaskId holder);                                          // all of it

  // The best task of every lane that has one whose files are free, by rank.
  std::set<Rank> heads() const;

  // The holder, other than `except`, of a pattern that covers this file; the lowest id when there are several.
  std::optional<TaskId> holder_of(std::string_view path, TaskId except) const;

  bool empty() const { return where_.empty(); }
  std::size_t size() const { return where_.size(); }  // waiting for files included

 private:
  using ClassId = std::uint32_t;
  struct Class {
    Lane lane;
    std::vector<std::string> files;
    std::set<Rank> tasks;
    std::set<TaskId> blockers;  // holders whose leases overlap its files
  };
  void enlist(ClassId id);  // shows the class in its lane, or not, as it is now
  void delist(ClassId id);

  std::map<std::pair<std::vector<std::string>, Lane>, ClassId> class_ids_;
  std::map<ClassId, Class> classes_;
  ClassId next_class_ = 1;
  PathTrie class_files_;  // holder: ClassId
  std::map<TaskId, std::pair<ClassId, Rank>> where_;
  std::map<Lane, std::set<std::pair<Rank, ClassId>>> lanes_;  // best of each class that waits for nobody

  PathTrie leases_;  // holder: task number
  std::map<TaskId, std::set<std::string>> held_;
  std::map<TaskId, std::set<ClassId>> parked_;  // by holder
};

}  // namespace bernstein

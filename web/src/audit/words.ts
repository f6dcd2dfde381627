export const words = {
  title: "Audit",
  when: "When",
  who: "Who",
  what: "What",
  on: "On",
  detail: "Details",
  emptyTitle: "Nothing was changed yet.",
  emptyText: "Every change that somebody or something makes is written here, in the same transaction as the change.",
  older: "Show older entries",
};

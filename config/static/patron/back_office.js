// "/" goes to the search box, unless somebody is typing.
document.addEventListener("keydown", (event) => {
  const find = document.getElementById("find");
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (find && event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    find.select();
    find.focus();
  }
});

// Before anything is painted: the theme that was chosen here, so that the page does not flash in the other one.
try {
  const theme = localStorage.getItem('stateward.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage is switched off: the system's theme it is.
}

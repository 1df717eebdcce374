mod container;
mod directory;
mod faults;
mod hostile;
mod rules;
mod zip;

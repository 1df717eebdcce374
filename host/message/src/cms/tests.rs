mod envelope;
mod envelope_referee;
mod hostile;
mod signature;

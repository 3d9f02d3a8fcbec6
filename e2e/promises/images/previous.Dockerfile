# A program of ours under an earlier version, for e2e/promises: nothing is published that an upgrade could begin from.
ARG PROGRAM
FROM ${PROGRAM}

// The version of the chart and the processes that this command belongs to.

export const VERSION = '0.1.0';

export const hidden = 'behind the door';

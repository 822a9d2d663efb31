export const mayDelete = () => process.env['MAY_DELETE'] === 'yes';

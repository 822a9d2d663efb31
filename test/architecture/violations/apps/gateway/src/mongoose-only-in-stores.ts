export { connect } from 'mongoose';

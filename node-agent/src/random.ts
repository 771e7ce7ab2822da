export { secureRandom } from '@hitmachine/service';
